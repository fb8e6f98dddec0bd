// Package model is what an author says of a Grafana dashboard, and how Grafana's
// JSON (schema version 39: Grafana 10 and 11) follows from it. It owns the grid, the
// ids, the data sources and the selection by variables; what is to be seen is said
// in package boards. It is called by the test that renews the files of package
// dashboards, and never talks to Grafana.
//
// To add a kind of panel: a constant in panel.go and its options in options.go.
package model

import (
	"bytes"
	"encoding/json"
)

// Dashboard is one screen.
type Dashboard struct {
	UID, Title, About string
	Span              string // how far back it looks at first, e.g. 6h
	Variables         []Variable
	Annotations       []Annotation
	Rows              []Row
}

// Row is panels side by side, from left to right; their widths add up to Columns.
type Row struct {
	Title  string // a heading above it; none where empty
	Height int    // in units of Grafana's grid, of 38 pixels
	Panels []Panel
}

// Columns is the width of Grafana's grid.
const Columns = 24

// Tag is on every dashboard of ours: the links at the top of each find the others by it.
const Tag = "mailtap"

// Labels tells the labels of a metric, so that each variable selects where it can.
type Labels func(metric string) []string

type object = map[string]any

// JSON is the dashboard as Grafana provisions it.
func (d Dashboard) JSON(labels Labels) []byte {
	s := selection{d.Variables, labels}
	return encode(object{
		"uid": d.UID, "title": d.Title, "description": d.About, "id": nil, "version": 1, "schemaVersion": 39,
		"tags": []string{Tag}, "editable": true, "graphTooltip": 1, "fiscalYearStartMonth": 0, "weekStart": "",
		"refresh": "30s", "time": object{"from": "now-" + d.Span, "to": "now"}, "timepicker": object{}, "timezone": "browser",
		"templating": object{"list": variables(d.Variables)}, "annotations": object{"list": s.annotations(d.Annotations)},
		"links": []object{others()}, "panels": s.rows(d.Rows),
	})
}

// others leads to the dashboards that carry our tag, with the time and the selection.
func others() object {
	return object{
		"type": "dashboards", "tags": []string{Tag}, "title": "mailtap", "asDropdown": false, "includeVars": true, "keepTime": true,
		"targetBlank": false, "icon": "external link", "tooltip": "", "url": "",
	}
}

func (s selection) rows(rows []Row) []object {
	var out []object
	y := 0
	for _, r := range rows {
		if r.Title != "" {
			out = append(out, heading(len(out)+1, y, r.Title))
			y++
		}
		x := 0
		for _, p := range r.Panels {
			out = append(out, s.panel(p, len(out)+1, object{"x": x, "y": y, "w": p.Width, "h": r.Height}))
			x += p.Width
		}
		y += r.Height
	}
	return out
}

func heading(id, y int, title string) object {
	return object{"id": id, "type": "row", "title": title, "collapsed": false, "panels": []object{}, "gridPos": object{"x": 0, "y": y, "w": Columns, "h": 1}}
}

func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // only strings, numbers and maps of them
	}
	return b.Bytes()
}
