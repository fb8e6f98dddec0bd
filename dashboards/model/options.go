package model

// Limits are the values from which a panel turns yellow and red. Where both are
// 0 it stays green; with Below, it is yellow under Yellow and red under Red.
type Limits struct {
	Yellow, Red float64
	Below       bool
}

func (l Limits) none() bool { return l == Limits{} }

func (l Limits) steps() []object {
	first := "green"
	var steps []object
	add := func(color string, from float64) { steps = append(steps, object{"color": color, "value": from}) }
	switch {
	case l.Below:
		first = "red"
		if l.Yellow > l.Red {
			add("yellow", l.Red)
			add("green", l.Yellow)
		} else {
			add("green", l.Red)
		}
	case !l.none():
		if l.Yellow > 0 {
			add("yellow", l.Yellow)
		}
		if l.Red > 0 {
			add("red", l.Red)
		}
	}
	return append([]object{{"color": first, "value": nil}}, steps...)
}

func (p Panel) field() object {
	field := object{
		"unit": p.Unit, "color": object{"mode": "palette-classic"}, "thresholds": object{"mode": "absolute", "steps": p.Limits.steps()},
		"mappings": []object{},
	}
	if p.Kind == Stat || p.Kind == Bars {
		field["color"] = object{"mode": "thresholds"}
	}
	if p.Kind == Series {
		field["min"] = 0
		field["custom"] = p.lines()
	}
	if p.Max > 0 {
		field["max"] = p.Max
	}
	return field
}

func (p Panel) lines() object {
	custom := object{
		"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": false,
		"stacking": object{"group": "A", "mode": "none"}, "thresholdsStyle": object{"mode": "off"},
	}
	if p.Stacked {
		custom["stacking"] = object{"group": "A", "mode": "normal"}
		custom["fillOpacity"] = 40
	}
	if !p.Limits.none() {
		custom["thresholdsStyle"] = object{"mode": "dashed"}
	}
	return custom
}

// overrides give series their colours and columns their units.
func (p Panel) overrides() []object {
	out := []object{}
	add := func(name, property string, value any) {
		out = append(out, object{
			"matcher":    object{"id": "byName", "options": name},
			"properties": []object{{"id": property, "value": value}},
		})
	}
	for _, c := range p.Colors {
		add(c.Name, "color", object{"mode": "fixed", "fixedColor": c.Color})
	}
	for _, q := range p.Queries {
		if q.Unit != "" {
			add(q.Legend, "unit", q.Unit)
		}
	}
	return out
}

func (p Panel) options() object {
	last := object{"calcs": []string{"lastNotNull"}, "fields": "", "values": false}
	switch p.Kind {
	case Stat:
		text := "auto"
		if p.Names {
			text = "name"
		}
		return object{
			"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": text, "wideLayout": true,
			"showPercentChange": false, "percentChangeColorMode": "standard", "reduceOptions": last,
		}
	case Bars:
		return object{
			"displayMode": "basic", "orientation": "horizontal", "valueMode": "color", "namePlacement": "auto", "showUnfilled": true, "sizing": "auto",
			"minVizWidth": 8, "minVizHeight": 16, "maxVizHeight": 300, "reduceOptions": last,
			"legend": object{"displayMode": "list", "placement": "bottom", "showLegend": false, "calcs": []string{}},
		}
	case Table:
		return object{"showHeader": true, "cellHeight": "sm", "frameIndex": 0}
	case Logs:
		return object{
			"showTime": true, "showLabels": false, "showCommonLabels": false, "showLogContextToggle": false, "wrapLogMessage": true,
			"prettifyLogMessage": false, "enableLogDetails": true, "sortOrder": "Descending", "dedupStrategy": "none",
		}
	}
	return object{
		"legend":  object{"displayMode": "list", "placement": "bottom", "showLegend": true, "calcs": []string{}},
		"tooltip": object{"mode": "multi", "sort": "desc"},
	}
}
