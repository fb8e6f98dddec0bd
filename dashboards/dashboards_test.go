package dashboards

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/mailtap/mailtap/metrics"
)

var update = flag.Bool("update", false, "renew the dashboards")

const overviewFile = "grafana/overview.json"

func TestOverviewIsWhatTheModelMakes(t *testing.T) {
	want := dashboard(overviewUID, overviewTitle, overviewAbout, overviewRows)
	if *update {
		if err := os.WriteFile(filepath.FromSlash(overviewFile), want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(filepath.FromSlash(overviewFile))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what overview_test.go makes (-update renews it)", overviewFile)
	}
}

type gridPos struct{ X, Y, W, H int }

func (a gridPos) overlaps(b gridPos) bool {
	return a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H
}

type source struct{ Type, UID string }

type grafanaFile struct {
	UID           string
	ID            *int
	SchemaVersion int
	Panels        []struct {
		ID                       int
		Type, Title, Description string
		GridPos                  gridPos
		Datasource               source
		FieldConfig              struct{ Defaults struct{ Unit string } }
		Targets                  []struct {
			Expr, RefID string
			Datasource  source
		}
	}
	Templating struct {
		List []struct {
			Name, Type, Definition string
			Datasource             source
		}
	}
}

// overview reads the file as it is embedded and shipped.
func overview(t *testing.T) grafanaFile {
	t.Helper()
	if *update {
		t.Skip("the embedded file is the one from before -update")
	}
	data, err := fs.ReadFile(Files(), overviewFile)
	if err != nil {
		t.Fatal(err)
	}
	var g grafanaFile
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	if len(g.Panels) < 15 {
		t.Fatalf("only %d panels were read", len(g.Panels))
	}
	return g
}

func TestOverviewCanBeProvisioned(t *testing.T) {
	g := overview(t)
	if g.UID != overviewUID || g.ID != nil || g.SchemaVersion != 39 {
		t.Errorf("uid %q, id %v, schemaVersion %d", g.UID, g.ID, g.SchemaVersion)
	}
	if v := g.Templating.List[0]; v.Name != "datasource" || v.Type != "datasource" {
		t.Errorf("the first variable is %+v, want the data source", v)
	}
	chosen := source{"prometheus", "${datasource}"}
	for _, p := range g.Panels {
		if p.Datasource != chosen {
			t.Errorf("%s: data source %+v is hard-wired", p.Title, p.Datasource)
		}
		for _, q := range p.Targets {
			if q.Datasource != chosen {
				t.Errorf("%s %s: data source %+v is hard-wired", p.Title, q.RefID, q.Datasource)
			}
		}
	}
}

func TestPanelsAreWholeAndDoNotOverlap(t *testing.T) {
	g := overview(t)
	ids := map[int]bool{}
	for i, p := range g.Panels {
		if ids[p.ID] || p.ID == 0 {
			t.Errorf("%s: id %d is zero or taken", p.Title, p.ID)
		}
		ids[p.ID] = true
		if p.Title == "" || p.Description == "" || p.FieldConfig.Defaults.Unit == "" || len(p.Targets) == 0 {
			t.Errorf("panel %d %q lacks a title, a description, a unit or a query", p.ID, p.Title)
		}
		if b := p.GridPos; b.W <= 0 || b.H <= 0 || b.X < 0 || b.Y < 0 || b.X+b.W > 24 {
			t.Errorf("%s stands at %+v", p.Title, b)
		}
		for _, q := range g.Panels[:i] {
			if p.GridPos.overlaps(q.GridPos) {
				t.Errorf("%s overlaps %s", p.Title, q.Title)
			}
		}
	}
}

// names are the metrics that a query names.
var names = regexp.MustCompile(`\bmailtap_[a-z0-9_]+`)

// known tells the labels of a metric, with those that a scrape or a histogram adds.
func known() map[string][]string {
	out := map[string][]string{}
	for _, f := range metrics.New(prometheus.NewRegistry(), metrics.Options{}).Families() {
		labels := append([]string{"instance", "job"}, f.Labels...)
		out[f.Name] = labels
		if f.Type == "histogram" {
			out[f.Name+"_bucket"] = append([]string{"le"}, labels...)
			out[f.Name+"_sum"], out[f.Name+"_count"] = labels, labels
		}
	}
	return out
}

func TestPanelsNameMetricsThatExist(t *testing.T) {
	g, exist := overview(t), known()
	for _, p := range g.Panels {
		for _, q := range p.Targets {
			found := names.FindAllString(q.Expr, -1)
			if len(found) == 0 {
				t.Errorf("%s %s names no metric: %s", p.Title, q.RefID, q.Expr)
			}
			for _, name := range found {
				if exist[name] == nil {
					t.Errorf("%s %s: there is no metric %s", p.Title, q.RefID, name)
				}
			}
		}
	}
	for _, v := range g.Templating.List {
		for _, name := range names.FindAllString(v.Definition, -1) {
			if exist[name] == nil {
				t.Errorf("variable %s: there is no metric %s", v.Name, name)
			}
		}
	}
}

var (
	selector = regexp.MustCompile(`(mailtap_[a-z0-9_]+)\{([^}]*)\}`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)`)
	grouping = regexp.MustCompile(`by \(([a-z_, ]+)\)`)
	legend   = regexp.MustCompile(`\{\{([a-z_]+)\}\}`)
)

func TestPanelsUseLabelsThatExist(t *testing.T) {
	exist := known()
	for _, r := range overviewRows {
		for _, p := range r.panels {
			for _, s := range p.series {
				var labels []string
				for _, m := range selector.FindAllStringSubmatch(s.query, -1) {
					labels = exist[m[1]]
					for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
						if !slices.Contains(labels, l[1]) {
							t.Errorf("%s: %s has no label %s", p.title, m[1], l[1])
						}
					}
				}
				for _, g := range grouping.FindAllStringSubmatch(s.query, -1) {
					for _, l := range strings.Split(g[1], ",") {
						if !slices.Contains(labels, strings.TrimSpace(l)) {
							t.Errorf("%s: grouped by %s, which is no label: %s", p.title, l, s.query)
						}
					}
				}
				for _, l := range legend.FindAllStringSubmatch(s.legend, -1) {
					if !strings.Contains(s.query, l[1]) {
						t.Errorf("%s: the legend shows %s, which %s does not keep", p.title, l[1], s.query)
					}
				}
			}
		}
	}
}

var window = regexp.MustCompile(`\[([^\]]*)\]`)

func TestRatesFollowTheScrapeInterval(t *testing.T) {
	for _, p := range overview(t).Panels {
		for _, q := range p.Targets {
			rates, increases := strings.Count(q.Expr, "rate("), strings.Count(q.Expr, "increase(")
			interval, span := 0, 0
			for _, w := range window.FindAllStringSubmatch(strings.ReplaceAll(q.Expr, `"[45].*"`, ""), -1) {
				switch w[1] {
				case "$__rate_interval":
					interval++
				case "$__range":
					span++
				default:
					t.Errorf("%s: window %s", p.Title, w[0])
				}
			}
			if rates != interval || increases != span {
				t.Errorf("%s: %d rates and %d increases have %d and %d windows: %s", p.Title, rates, increases, interval, span, q.Expr)
			}
			for _, name := range names.FindAllString(q.Expr, -1) {
				counter := strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket")
				if counter && rates+increases == 0 {
					t.Errorf("%s: counter %s without a rate", p.Title, name)
				}
			}
		}
	}
}

func TestYAMLFilesAreValid(t *testing.T) {
	found := 0
	err := fs.WalkDir(Files(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".yml") {
			return err
		}
		found++
		data, err := fs.ReadFile(Files(), path)
		if err != nil {
			return err
		}
		var v map[string]any
		if err := yaml.Unmarshal(data, &v); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || found != 3 {
		t.Errorf("%d YAML files, want 3: %v", found, err)
	}
}
