package dashboards

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/mailtap/mailtap/dashboards/boards"
	"github.com/mailtap/mailtap/dashboards/model"
)

// Grafana's own schema, as it publishes it: no field is missing, unknown or of
// another type, in the dashboard, its panels' options and its queries.
func TestGrafanaKnowsEachField(t *testing.T) {
	runtime := cog.NewRuntime()
	runtime.RegisterPanelcfgVariant(bargauge.VariantConfig())
	runtime.RegisterPanelcfgVariant(logs.VariantConfig())
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())
	runtime.RegisterDataqueryVariant(loki.VariantConfig())
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	for _, b := range shipped(t) {
		//lint:ignore SA1019 the form that Grafana 10 and 11 read; the next one is of 12
		var d dashboard.Dashboard
		for _, err := range []error{d.UnmarshalJSONStrict(b.raw), d.Validate()} {
			if err != nil && err.Error() != "" { // an empty list of errors is not nil
				t.Errorf("%s: %v", b.file, err)
			}
		}
	}
	//lint:ignore SA1019 as above
	var d dashboard.Dashboard
	odd := strings.Replace(string(shipped(t)[0].raw), `"reduceOptions"`, `"reducesOptions"`, 1)
	if err := d.UnmarshalJSONStrict([]byte(odd)); err == nil || !strings.Contains(err.Error(), "reducesOptions") {
		t.Error("a wrong field is not found: the check checks nothing")
	}
}

func TestDashboardsCanBeProvisioned(t *testing.T) {
	uids, titles := map[string]bool{}, map[string]bool{}
	for _, b := range shipped(t) {
		if b.UID == "" || len(b.UID) > 40 || uids[b.UID] || titles[b.Title] || b.Description == "" || b.ID != nil || b.SchemaVersion != 39 {
			t.Errorf("%s: uid %q, title %q, id %v, schemaVersion %d", b.file, b.UID, b.Title, b.ID, b.SchemaVersion)
		}
		uids[b.UID], titles[b.Title] = true, true
		if !slices.Contains(b.Tags, model.Tag) || len(b.Links) != 1 || b.Links[0].Type != "dashboards" || !slices.Contains(b.Links[0].Tags, model.Tag) {
			t.Errorf("%s does not lead to the others", b.file)
		}
		for _, v := range b.Templating.List {
			if v.Label == "" || v.Type == "query" && (!v.IncludeAll || !isChosen(v.Datasource)) {
				t.Errorf("%s: variable %+v", b.file, v)
			}
		}
		if first := b.Templating.List[:2]; first[0].Type != "datasource" || first[0].Query != "prometheus" || first[1].Type != "datasource" || first[1].Query != "loki" {
			t.Errorf("%s: the first variables are %+v, want the data sources", b.file, first)
		}
		checkAnnotations(t, b)
	}
	for _, b := range shipped(t) {
		for _, p := range b.Panels {
			for _, l := range p.Links {
				uid, rest, _ := strings.Cut(strings.TrimPrefix(l.URL, "/d/"), "?")
				if !uids[uid] || rest != "${__url_time_range}&${__all_variables}" {
					t.Errorf("%s, %s leads to %s", b.file, p.Title, l.URL)
				}
			}
		}
	}
}

func checkAnnotations(t *testing.T, b board) {
	t.Helper()
	ours := 0
	for _, a := range b.Annotations.List {
		if a.BuiltIn == 1 {
			continue
		}
		ours++
		if !isChosen(a.Datasource) || a.Name == "" || a.Expr == "" || a.TitleFormat == "" || a.TextFormat == "" {
			t.Errorf("%s: annotation %+v", b.file, a)
		}
	}
	if ours == 0 {
		t.Errorf("%s marks no alerts", b.file)
	}
}

// isChosen says whether the reader chooses the data source: no uid is hard-wired.
func isChosen(s source) bool {
	return s == source{"prometheus", "${datasource}"} || s == source{"loki", "${loki}"}
}

type gridPos struct{ X, Y, W, H int }

func (a gridPos) overlaps(b gridPos) bool {
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

func TestPanelsAreWholeAndDoNotOverlap(t *testing.T) {
	for _, b := range shipped(t) {
		ids, titles := map[int]bool{}, map[string]bool{}
		for i, p := range b.Panels {
			if ids[p.ID] || p.ID == 0 {
				t.Errorf("%s, %s: id %d is zero or taken", b.file, p.Title, p.ID)
			}
			ids[p.ID] = true
			if g := p.GridPos; g.W <= 0 || g.H <= 0 || g.X < 0 || g.Y < 0 || g.X+g.W > model.Columns {
				t.Errorf("%s, %s stands at %+v", b.file, p.Title, g)
			}
			for _, q := range b.Panels[:i] {
				if p.GridPos.overlaps(q.GridPos) {
					t.Errorf("%s: %s overlaps %s", b.file, p.Title, q.Title)
				}
			}
			if p.Type == "row" {
				continue
			}
			if titles[p.Title] {
				t.Errorf("%s: %s is there twice", b.file, p.Title)
			}
			titles[p.Title] = true
			if p.Title == "" || len(p.Description) < 20 || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
				t.Errorf("%s: panel %d %q lacks a title, a description, a unit or a query", b.file, p.ID, p.Title)
			}
			checkTargets(t, b, p)
		}
	}
}

func checkTargets(t *testing.T, b board, p panel) {
	t.Helper()
	refs := map[string]bool{}
	for _, q := range p.Targets {
		if q.Datasource != p.Datasource || !isChosen(q.Datasource) {
			t.Errorf("%s, %s %s: data source %+v", b.file, p.Title, q.RefID, q.Datasource)
		}
		if refs[q.RefID] || q.RefID == "" || q.Expr == "" || p.Type != "logs" && q.LegendFormat == "" {
			t.Errorf("%s, %s: query %+v", b.file, p.Title, q)
		}
		refs[q.RefID] = true
		if strings.Contains(q.Expr, "$sel") {
			t.Errorf("%s, %s: the selection is not filled in: %s", b.file, p.Title, q.Expr)
		}
	}
}

var used = regexp.MustCompile(`\$\{?([a-zA-Z_]+)`)

// Each $name in a query is a variable of the dashboard or one of Grafana's, and
// none stands at the top that changes nothing.
func TestVariablesAreThereAndUsed(t *testing.T) {
	for _, b := range shipped(t) {
		uses := map[string]bool{"datasource": true, "loki": true} // links hand them on
		var exprs []string
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				exprs = append(exprs, q.Expr)
			}
		}
		for _, a := range b.Annotations.List {
			exprs = append(exprs, a.Expr)
		}
		for _, m := range used.FindAllStringSubmatch(strings.Join(exprs, "\n"), -1) {
			name := m[1]
			if slices.Contains([]string{"__rate_interval", "__range", "__interval"}, name) {
				continue
			}
			uses[name] = true
			if !slices.ContainsFunc(b.Templating.List, func(v variable) bool { return v.Name == name }) {
				t.Errorf("%s: there is no variable %s", b.file, name)
			}
		}
		for _, v := range b.Templating.List {
			if !uses[v.Name] {
				t.Errorf("%s: variable %s is used nowhere", b.file, v.Name)
			}
		}
	}
}

// The overview fits a screen of 1080 lines: 22 units of 38 pixels.
func TestRowsFillTheScreen(t *testing.T) {
	for _, d := range boards.All() {
		height := 0
		for i, r := range d.Rows {
			width := 0
			for _, p := range r.Panels {
				width += p.Width
			}
			if width != model.Columns {
				t.Errorf("%s: row %d is %d columns wide", d.Title, i, width)
			}
			height += r.Height
		}
		if strings.HasSuffix(d.Title, "Overview") && height > 22 {
			t.Errorf("%s is %d units high: more than one screen", d.Title, height)
		}
	}
}
