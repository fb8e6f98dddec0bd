package model

// Annotation marks moments on every plot over time.
type Annotation struct {
	Name   string
	Source Source // Prometheus where empty
	Expr   string // of Prometheus: marked while above 0; of Loki: each line
	Title  string // with labels, as {{rule}}
	Text   string
	Tags   string // names of labels, with commas
	Color  string
}

func (s selection) annotations(list []Annotation) []object {
	out := []object{{
		"builtIn": 1, "name": "Annotations & Alerts", "type": "dashboard", "datasource": object{"type": "grafana", "uid": "-- Grafana --"},
		"enable": true, "hide": true, "iconColor": "rgba(0, 211, 255, 1)",
	}}
	for _, a := range list {
		out = append(out, object{
			"name": a.Name, "datasource": a.Source.ref(), "enable": true, "hide": false, "iconColor": a.Color,
			"expr": s.fill(a.Expr), "titleFormat": a.Title, "textFormat": a.Text, "tagKeys": a.Tags,
		})
		if a.Source != Loki {
			out[len(out)-1]["step"] = "60s"
		}
	}
	return out
}
