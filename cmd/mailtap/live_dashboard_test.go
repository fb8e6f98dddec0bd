package main

import (
	"encoding/json"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/dashboards"
)

// panelQueries lists the queries of the overview as Grafana would send them.
func panelQueries(t *testing.T) map[string][]string {
	t.Helper()
	text, err := fs.ReadFile(dashboards.Files(), "grafana/overview.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m", "$instance", ".+")
	queries := map[string][]string{}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries[p.Title] = append(queries[p.Title], fill.Replace(target.Expr))
		}
	}
	return queries
}

// panels asks a real Prometheus every query of the dashboard: each is
// understood and, where it does not ask for trouble alone, has data.
func (q prometheusQuery) panels() {
	q.t.Helper()
	asked := 0
	for title, queries := range panelQueries(q.t) {
		for _, query := range queries {
			asked++
			var status, why string
			data := within(10*time.Second, func() bool {
				body, _ := self("get", q.prefix, "http://"+prometheusAt+"/api/v1/query?query="+url.QueryEscape(query)).Output()
				var answer struct {
					Status, Error string
					Data          struct{ Result []any }
				}
				_ = json.Unmarshal(body, &answer)
				status, why = answer.Status, answer.Error
				return status != "success" || len(answer.Data.Result) > 0 || strings.HasSuffix(query, "> 0")
			})
			if status != "success" || !data {
				q.t.Errorf("panel %q: %s: status %q, data %v %s", title, query, status, data, why)
			}
		}
	}
	if asked < 20 {
		q.t.Errorf("only %d queries were asked", asked)
	}
}
