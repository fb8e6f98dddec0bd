package model

import (
	"regexp"
	"slices"
	"strings"
)

// Source is a kind of data source. Which one of its kind is the reader's choice:
// no uid is hard-wired.
type Source string

// The sources, under Grafana's names.
const (
	Prometheus Source = "prometheus"
	Loki       Source = "loki"
)

// ref is the data source that the reader chose at the top of the dashboard.
func (s Source) ref() object {
	if s == Loki {
		return object{"type": "loki", "uid": "${loki}"}
	}
	return object{"type": "prometheus", "uid": "${datasource}"}
}

// Variable is a choice at the top of the dashboard. With Of it offers the values
// of the label of its name; without, it is the data source of its kind, or with
// Text what the reader writes.
type Variable struct {
	Name, Title string
	Source      Source // Prometheus where empty
	Of          string // a metric, or a selector of Loki, that has the label
	Text        bool
	Any         bool // All is any value, and not only those that are offered
}

// selects says whether the variable narrows queries of a source by a label.
func (v Variable) selects(s Source) bool { return v.Of != "" && v.source() == s }

func (v Variable) source() Source {
	if v.Source == "" {
		return Prometheus
	}
	return v.Source
}

func variables(list []Variable) []object {
	out := []object{}
	for _, v := range list {
		o := object{"name": v.Name, "label": v.Title, "hide": 0, "skipUrlSync": false, "multi": false, "includeAll": false, "options": []object{}}
		switch {
		case v.Text:
			empty := object{"selected": true, "text": "", "value": ""}
			o["type"], o["query"], o["current"], o["options"] = "textbox", "", empty, []object{empty}
		case v.Of != "":
			v.values(o)
		default:
			o["type"], o["query"], o["refresh"], o["regex"] = "datasource", string(v.source()), 1, ""
		}
		out = append(out, o)
	}
	return out
}

// values makes it a list of the label's values, of which several or All are chosen.
func (v Variable) values(o object) {
	o["type"], o["datasource"], o["refresh"], o["regex"], o["sort"] = "query", v.source().ref(), 2, "", 1
	o["multi"], o["includeAll"] = true, true
	o["current"] = object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}
	if v.Any {
		o["allValue"] = ".*"
	}
	if v.source() == Loki {
		o["definition"] = ""
		o["query"] = object{"type": 1, "label": v.Name, "stream": v.Of, "refId": "LokiVariableQueryEditor-VariableQuery"}
		return
	}
	query := "label_values(" + v.Of + ", " + v.Name + ")"
	o["definition"], o["query"] = query, object{"query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
}

// selection fills in what the reader chose.
type selection struct {
	variables []Variable
	labels    Labels
}

var selector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)?\{([^{}]*)\$sel\}`)

// fill puts a matcher of each variable that applies for $sel: in a selector of
// Prometheus where its metric has the label, in one of Loki always.
func (s selection) fill(expr string) string {
	return selector.ReplaceAllStringFunc(expr, func(found string) string {
		m := selector.FindStringSubmatch(found)
		var matchers []string
		if before := strings.TrimSuffix(m[2], ","); before != "" {
			matchers = append(matchers, before)
		}
		for _, v := range s.variables {
			if m[1] == "" && v.selects(Loki) || m[1] != "" && v.selects(Prometheus) && slices.Contains(s.labels(m[1]), v.Name) {
				matchers = append(matchers, v.Name+`=~"$`+v.Name+`"`)
			}
		}
		return m[1] + "{" + strings.Join(matchers, ",") + "}"
	})
}
