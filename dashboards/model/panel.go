package model

import "strings"

// Kind is how a panel shows its data.
type Kind string

// The kinds of panels, under Grafana's names.
const (
	Stat   Kind = "stat"       // one number, or some
	Series Kind = "timeseries" // lines over time
	Bars   Kind = "bargauge"   // a bar for each of a list
	Table  Kind = "table"      // a row for each set of labels, a column for each query
	Logs   Kind = "logs"       // lines of Loki
)

// Panel is one picture.
type Panel struct {
	Title   string
	About   string // what it shows, and what to make of it
	Kind    Kind
	Source  Source // Prometheus where empty
	Unit    string // Grafana's id of the unit
	Width   int    // of Columns
	Max     float64
	Limits  Limits
	Stacked bool    // Series
	Names   bool    // Stat: shows the legend, not the value
	Colors  []Color // of series by their legend
	More    string  // uid of the dashboard that tells more
	Queries []Query
}

// Query is one question to the source, and the legend of each answer. In a
// selector, $sel stands for the variables of the dashboard that apply to it.
type Query struct {
	Expr, Legend string
	Unit         string // of a table's column, where it is not the panel's
}

// Color is a series that has the same colour everywhere.
type Color struct{ Name, Color string }

func (s selection) panel(p Panel, id int, place object) object {
	out := object{
		"id": id, "type": string(p.Kind), "title": p.Title, "description": p.About, "gridPos": place,
		"datasource": p.Source.ref(), "targets": s.targets(p),
		"fieldConfig": object{"defaults": p.field(), "overrides": p.overrides()}, "options": p.options(),
	}
	if p.More != "" {
		out["links"] = []object{{
			"type": "link", "title": "More", "url": "/d/" + p.More + "?${__url_time_range}&${__all_variables}", "asDropdown": false, "includeVars": false,
			"keepTime": false, "targetBlank": false, "tags": []string{}, "icon": "", "tooltip": "",
		}}
	}
	if p.Kind == Table {
		out["transformations"] = p.columns()
	}
	return out
}

func (s selection) targets(p Panel) []object {
	var out []object
	for i, q := range p.Queries {
		// What is asked over the whole time shown has one answer.
		instant := p.Kind == Bars || p.Kind == Table || strings.Contains(q.Expr, "[$__range]")
		t := object{"refId": refID(i), "datasource": p.Source.ref(), "editorMode": "code", "expr": s.fill(q.Expr)}
		if p.Kind != Logs {
			t["legendFormat"] = q.Legend
		}
		if p.Source == Loki {
			t["queryType"] = "range"
			if instant {
				t["queryType"] = "instant"
			}
		} else {
			t["range"], t["instant"] = !instant, instant
			if p.Kind == Table {
				t["format"] = "table"
			}
		}
		out = append(out, t)
	}
	return out
}

func refID(i int) string { return string(rune('A' + i)) }

// columns joins the answers of a table by their labels and names them.
func (p Panel) columns() []object {
	names := object{}
	for i, q := range p.Queries {
		names["Value #"+refID(i)] = q.Legend
	}
	return []object{
		{"id": "merge", "options": object{}},
		{"id": "organize", "options": object{"excludeByName": object{"Time": true}, "indexByName": object{}, "renameByName": names}},
	}
}
