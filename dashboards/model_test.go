package dashboards

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// panel is what an author says of a panel; the rest of Grafana's JSON follows.
type panel struct {
	title, about string
	kind         string // stat or timeseries
	unit         string // Grafana's id of the unit
	width        int    // of 24 columns
	stacked      bool
	max          float64 // 0: as the data are
	alarm        float64 // stat: red from this value on; 0: never
	series       []series
}

// series is a query and the legend of what it gives. $sel stands for the
// selection of sensors.
type series struct{ query, legend string }

// row is panels of one height, side by side.
type row struct {
	height int
	panels []panel
}

type object = map[string]any

// fromVariable is the data source that the reader chose: no uid is hard-wired.
var fromVariable = object{"type": "prometheus", "uid": "${datasource}"}

func dashboard(uid, title, about string, rows []row) []byte {
	panels, y := []object{}, 0
	for _, r := range rows {
		x := 0
		for _, p := range r.panels {
			panels = append(panels, p.json(len(panels)+1, x, y, r.height))
			x += p.width
		}
		y += r.height
	}
	return encode(object{
		"annotations": object{"list": []any{}}, "description": about, "editable": true, "graphTooltip": 1,
		"id": nil, "links": []any{}, "panels": panels, "refresh": "30s", "schemaVersion": 39, "tags": []string{"mailtap", "smtp"},
		"templating": object{"list": variables()}, "time": object{"from": "now-6h", "to": "now"}, "timepicker": object{},
		"timezone": "", "title": title, "uid": uid, "version": 1,
	})
}

func variables() []object {
	return []object{
		{"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": object{}, "hide": 0, "refresh": 1, "regex": "", "options": []any{}, "includeAll": false, "multi": false},
		{
			"name": "instance", "label": "Sensor", "type": "query", "datasource": fromVariable, "definition": "label_values(mailtap_build_info, instance)",
			"query":   object{"query": "label_values(mailtap_build_info, instance)", "refId": "instance"},
			"current": object{"selected": true, "text": []string{"All"}, "value": []string{"$__all"}}, "hide": 0, "refresh": 2, "regex": "", "sort": 1, "options": []any{}, "includeAll": true, "allValue": ".*", "multi": true,
		},
	}
}

func (p panel) json(id, x, y, height int) object {
	targets := []object{}
	for i, s := range p.series {
		targets = append(targets, object{
			"datasource": fromVariable, "refId": string(rune('A' + i)), "legendFormat": s.legend, "editorMode": "code", "range": true,
			"expr": strings.ReplaceAll(s.query, "$sel", `instance=~"$instance"`),
		})
	}
	return object{
		"id": id, "type": p.kind, "title": p.title, "description": p.about, "datasource": fromVariable, "targets": targets,
		"gridPos": object{"x": x, "y": y, "w": p.width, "h": height}, "fieldConfig": object{"defaults": p.field(), "overrides": []any{}}, "options": p.options(),
	}
}

func (p panel) field() object {
	steps := []object{{"color": "green", "value": nil}}
	if p.alarm > 0 {
		steps = append(steps, object{"color": "red", "value": p.alarm})
	}
	field := object{"unit": p.unit, "min": 0, "color": object{"mode": "palette-classic"}, "thresholds": object{"mode": "absolute", "steps": steps}}
	if p.max > 0 {
		field["max"] = p.max
	}
	if p.kind == "stat" {
		field["color"] = object{"mode": "thresholds"}
		return field
	}
	custom := object{"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false}
	if p.stacked {
		custom["stacking"] = object{"group": "A", "mode": "normal"}
		custom["fillOpacity"] = 40
	}
	field["custom"] = custom
	return field
}

func (p panel) options() object {
	if p.kind == "stat" {
		return object{"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto", "reduceOptions": object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}}
	}
	return object{"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []any{}}, "tooltip": object{"mode": "multi", "sort": "desc"}}
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

func TestRowsFillTheScreen(t *testing.T) {
	for i, r := range overviewRows {
		width := 0
		for _, p := range r.panels {
			width += p.width
		}
		if width != 24 {
			t.Errorf("row %d is %d columns wide, want 24", i, width)
		}
	}
}
