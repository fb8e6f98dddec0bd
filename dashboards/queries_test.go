package dashboards

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/dashboards/boards"
)

// asked is a query in PromQL and where it stands.
type asked struct{ at, expr string }

// metricQueries are the queries of all dashboards that go to Prometheus.
func metricQueries(t *testing.T) (out []asked) {
	t.Helper()
	for _, b := range shipped(t) {
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type == "prometheus" {
					out = append(out, asked{b.file + ", " + p.Title + " " + q.RefID, q.Expr})
				}
			}
		}
		for _, a := range b.Annotations.List {
			if a.Datasource.Type == "prometheus" {
				out = append(out, asked{b.file + ", annotation " + a.Name, a.Expr})
			}
		}
	}
	if len(out) < 80 {
		t.Fatalf("only %d queries were found", len(out))
	}
	return out
}

// named are the metrics that a query names.
var named = regexp.MustCompile(`\b(?:(?:mailtap|process|go)_[a-z0-9_]+|up\b|ALERTS\b)`)

// foreign are metrics that others make: the scrape, the process, Prometheus's rules.
var foreign = []string{"up", "ALERTS", "process_start_time_seconds", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
	"go_memstats_heap_inuse_bytes", "go_goroutines", "go_gc_duration_seconds"}

func TestPanelsNameMetricsThatExist(t *testing.T) {
	exist := known()
	for _, q := range metricQueries(t) {
		found := named.FindAllString(q.expr, -1)
		if len(found) == 0 {
			t.Errorf("%s names no metric: %s", q.at, q.expr)
		}
		for _, name := range found {
			if exist[name] == nil && !slices.Contains(foreign, name) {
				t.Errorf("%s: there is no metric %s", q.at, name)
			}
		}
	}
	for _, b := range shipped(t) {
		for _, v := range b.Templating.List {
			for _, name := range named.FindAllString(v.Definition, -1) {
				if !slices.Contains(exist[name], v.Name) {
					t.Errorf("%s, variable %s: %s has no such label", b.file, v.Name, name)
				}
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
	for _, q := range metricQueries(t) {
		var labels []string
		for _, m := range selector.FindAllStringSubmatch(q.expr, -1) {
			labels = append(labels, exist[m[1]]...)
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(exist[m[1]], l[1]) {
					t.Errorf("%s: %s has no label %s", q.at, m[1], l[1])
				}
			}
			if !strings.Contains(m[2], `instance=~"$instance"`) {
				t.Errorf("%s: %s is of all sensors, whichever is chosen", q.at, m[1])
			}
		}
		for _, g := range grouping.FindAllStringSubmatch(q.expr, -1) {
			for l := range strings.SplitSeq(g[1], ",") {
				if l = strings.TrimSpace(l); l != "instance" && !slices.Contains(labels, l) {
					t.Errorf("%s: grouped by %s, which is no label: %s", q.at, l, q.expr)
				}
			}
		}
	}
	for _, d := range boards.All() {
		for _, r := range d.Rows {
			for _, p := range r.Panels {
				for _, q := range p.Queries {
					for _, l := range legend.FindAllStringSubmatch(q.Legend, -1) {
						if !strings.Contains(q.Expr, l[1]) {
							t.Errorf("%s, %s: the legend shows %s, which %s does not keep", d.Title, p.Title, l[1], q.Expr)
						}
					}
				}
			}
		}
	}
}

var window = regexp.MustCompile(`(rate|increase)\((mailtap|process)_[a-z0-9_]+(\{[^}]*\})?\[([^\]]*)\]\)`)

// A rate follows the interval of the scrape, or spans the time shown; a counter
// is never shown as it stands.
func TestRatesFollowTheScrapeInterval(t *testing.T) {
	for _, q := range metricQueries(t) {
		rest := window.ReplaceAllStringFunc(q.expr, func(found string) string {
			m := window.FindStringSubmatch(found)
			if w := m[4]; w != "$__range" && !(m[1] == "rate" && w == "$__rate_interval") && !(m[1] == "increase" && w == "30m") {
				t.Errorf("%s: %s over %s", q.at, m[1], w)
			}
			return ""
		})
		for _, name := range named.FindAllString(rest, -1) {
			if strings.HasSuffix(name, "_total") || strings.HasSuffix(name, "_bucket") {
				t.Errorf("%s: counter %s without a rate", q.at, name)
			}
		}
	}
}

// filled is a query as Grafana sends it.
var filled = strings.NewReplacer("$__rate_interval", "1m", "$__range", "1h", "$__interval", "1m", "$instance", ".+", "$role", ".*", "$server", ".*")

// promtool runs Debian's, and says what it says.
func promtool(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("promtool"); err != nil {
		if os.Getenv("MAILTAP_TEST_LIVE_MUST_RUN") != "" {
			t.Fatal("needs promtool")
		}
		t.Skip("needs promtool: apt-get install prometheus")
	}
	out, err := exec.Command("promtool", args...).CombinedOutput()
	if err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestPromtoolParsesEachQuery(t *testing.T) {
	var b strings.Builder
	b.WriteString("groups:\n- name: panels\n  rules:\n")
	queries := metricQueries(t)
	for i, q := range queries {
		fmt.Fprintf(&b, "  - record: panel:%d\n    expr: |-\n      %s\n", i, filled.Replace(q.expr))
	}
	name := filepath.Join(t.TempDir(), "panels.yml")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := promtool(t, "check", "rules", name); !strings.Contains(out, fmt.Sprintf("%d rules found", len(queries))) {
		t.Errorf("promtool says\n%s", out)
	}
}
