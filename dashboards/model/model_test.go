package model

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestSelection(t *testing.T) {
	s := selection{[]Variable{
		{Name: "datasource"}, {Name: "loki", Source: Loki}, {Name: "instance", Of: "up"}, {Name: "role", Of: "a_total"},
		{Name: "sensor", Source: Loki, Of: `{event=~".+"}`}, {Name: "search", Text: true},
	}, func(metric string) []string {
		return map[string][]string{"a_total": {"instance", "role"}, "b_total": {"instance"}, "ALERTS": {"instance"}}[metric]
	}}
	for _, c := range []struct{ expr, want string }{
		{`rate(a_total{$sel}[5m])`, `rate(a_total{instance=~"$instance",role=~"$role"}[5m])`},
		{`a_total{x="1",$sel} / b_total{$sel}`, `a_total{x="1",instance=~"$instance",role=~"$role"} / b_total{instance=~"$instance"}`},
		{`ALERTS{$sel}`, `ALERTS{instance=~"$instance"}`},
		{`c_total{x="1",$sel}`, `c_total{x="1"}`},
		{`sum(count_over_time({event="auth",$sel} | json [5m]))`, `sum(count_over_time({event="auth",sensor=~"$sensor"} | json [5m]))`},
		{`a_total{x=~"[45].*"}`, `a_total{x=~"[45].*"}`},
	} {
		if got := s.fill(c.expr); got != c.want {
			t.Errorf("%s becomes\n%s, want\n%s", c.expr, got, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		limits Limits
		want   string
	}{
		{Limits{}, "green"},
		{Limits{Red: 1}, "green red:1"},
		{Limits{Yellow: 0.5, Red: 1}, "green yellow:0.5 red:1"},
		{Limits{Yellow: 0.9, Red: 0.5, Below: true}, "red yellow:0.5 green:0.9"},
		{Limits{Red: 1, Below: true}, "red green:1"},
	} {
		var got []string
		for _, s := range c.limits.steps() {
			text := s["color"].(string)
			if s["value"] != nil {
				v, _ := json.Marshal(s["value"])
				text += ":" + string(v)
			}
			got = append(got, text)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v gives %v, want %s", c.limits, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	d := Dashboard{Rows: []Row{
		{Height: 4, Panels: []Panel{{Width: 16}, {Width: 8}}},
		{Title: "More", Height: 7, Panels: []Panel{{Width: 24}}},
	}}
	var got struct {
		Panels []struct {
			ID      int
			GridPos struct{ X, Y, W, H int }
		}
	}
	if err := json.Unmarshal(d.JSON(nil), &got); err != nil {
		t.Fatal(err)
	}
	var places [][5]int
	for _, p := range got.Panels {
		places = append(places, [5]int{p.ID, p.GridPos.X, p.GridPos.Y, p.GridPos.W, p.GridPos.H})
	}
	if want := [][5]int{{1, 0, 0, 16, 4}, {2, 16, 0, 8, 4}, {3, 0, 4, 24, 1}, {4, 0, 5, 24, 7}}; !reflect.DeepEqual(places, want) {
		t.Errorf("id, x, y, w, h: %v, want %v", places, want)
	}
}
