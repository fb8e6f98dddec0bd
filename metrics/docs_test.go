package metrics

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/mailtap/mailtap/sessions"
)

// between replaces, or compares, what a document has between its two marks.
func between(t *testing.T, file, want string) {
	t.Helper()
	const begin, end = "<!-- table: begin, kept by a test -->\n", "<!-- table: end -->\n"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(data), begin)
	table, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s lacks its marks", file)
	}
	if table == want {
		return
	}
	if *update {
		if err := os.WriteFile(file, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s differs from the code (-update renews it): %s", file, firstDifference(want, table))
}

func TestDocumentationOfMetrics(t *testing.T) {
	m, reg := newTest()
	starts := map[string]bool{}
	families, _ := reg.Gather()
	for _, f := range families {
		starts[f.GetName()] = true
	}
	var b strings.Builder
	b.WriteString("| metric | type | labels | at the start | meaning |\n|---|---|---|---|---|\n")
	for _, f := range m.Families() {
		start := "-"
		if starts[f.Name] {
			start = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Name, f.Type, strings.Join(f.Labels, ", "), start, f.Help)
	}
	between(t, "../docs/metrics.md", b.String())
}

func TestDocumentationOfAnomalies(t *testing.T) {
	var b strings.Builder
	b.WriteString("| name | meaning | where it comes from | example |\n|---|---|---|---|\n")
	for _, k := range sessions.AnomalyTable {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", k.Name, k.Meaning, k.Source, k.Example)
	}
	between(t, "../docs/anomalies.md", b.String())
}

// gathered describes what a registry shows once everything was used.
func gathered(t *testing.T, reg prometheus.Gatherer) map[string]Family {
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[dto.MetricType]string{dto.MetricType_COUNTER: "counter", dto.MetricType_GAUGE: "gauge", dto.MetricType_HISTOGRAM: "histogram"}
	out := map[string]Family{}
	for _, f := range families {
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		out[f.GetName()] = Family{Name: f.GetName(), Type: kinds[f.GetType()], Labels: labels, Help: f.GetHelp()}
	}
	return out
}

func TestFamiliesAreThoseOfTheRegistry(t *testing.T) {
	m, reg := newTest()
	play(m, dialog(conn("relay", "mx1")))
	publishAll(m)
	got := gathered(t, reg)
	for _, f := range m.Families() {
		g, ok := got[f.Name]
		labels := slices.Clone(f.Labels)
		sort.Strings(labels)
		switch {
		case !ok:
			t.Errorf("%s is not in the registry", f.Name)
		case g.Type != f.Type || g.Help != f.Help || !slices.Equal(labels, g.Labels):
			t.Errorf("the registry has %+v, Families %+v", g, f)
		}
		delete(got, f.Name)
	}
	for name := range got {
		t.Errorf("%s is not in Families", name)
	}
}

// The table of built-in reasons is complete, and in the order in which they are tried.
func TestDocumentationOfReasons(t *testing.T) {
	data, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(data), "| reason | what servers say |\n|---|---|\n")
	table, _, _ := strings.Cut(section, "\n\n")
	var got []string
	for row := range strings.SplitSeq(table, "\n") {
		got = append(got, strings.Split(row, "`")[1])
	}
	if !slices.Equal(got, BuiltinReasons()) {
		t.Errorf("documented are %v, there are %v", got, BuiltinReasons())
	}
}

// beyond are families that the contract does not have.
var beyond = []string{"refusals_total", "delivery_reports_total", "deferred_recipients_by_age", "deferred_oldest_age_seconds", "deferred_retries_total", "deferred_forgotten_total",
	"storage_errors_total", "storage_failing", "storage_damaged_total", "evidence_files_total", "capture_up", "clock_steps_total", "web_connections", "web_refused_total"}

var (
	contractRow  = regexp.MustCompile("(?m)^\\| (`[a-z_`, ]+`) \\|([^|]*)\\|")
	parenthesis  = regexp.MustCompile(`\([^)]*\)`)
	contractName = regexp.MustCompile("`([a-z_]+)`")
)

// TestContract holds the families against the contract where it is at hand.
func TestContract(t *testing.T) {
	data, err := os.ReadFile("../../shared/contract/metrics.md")
	if err != nil {
		t.Skip("the contract is not here")
	}
	want := map[string][]string{}
	for _, row := range contractRow.FindAllStringSubmatch(string(data), -1) {
		var labels []string
		for _, l := range strings.Split(parenthesis.ReplaceAllString(row[2], ""), ",") {
			if l = strings.TrimSpace(l); l != "" {
				labels = append(labels, l)
			}
		}
		for _, name := range contractName.FindAllStringSubmatch(row[1], -1) {
			want[name[1]] = labels
		}
	}
	if len(want) < 40 {
		t.Fatalf("only %d families were read from the contract", len(want))
	}
	m, _ := newTest()
	for _, f := range m.Families() {
		name := strings.TrimPrefix(f.Name, prefix)
		labels, ok := want[name]
		if slices.Contains(beyond, name) && !ok {
			continue
		}
		if !ok || !slices.Equal(labels, f.Labels) {
			t.Errorf("%s has labels %v, the contract %v", name, f.Labels, labels)
		}
		delete(want, name)
	}
	for _, name := range beyond {
		if !slices.ContainsFunc(m.Families(), func(f Family) bool { return f.Name == prefix+name }) {
			t.Errorf("%s is said to be beyond the contract and is not there", name)
		}
	}
	for name := range want {
		t.Errorf("%s of the contract is missing", name)
	}
}
