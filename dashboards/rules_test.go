package dashboards

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// rule is a recording or an alerting rule of Prometheus or Loki.
type rule struct {
	Alert, Record, Expr string
	Labels, Annotations map[string]string
}

func rules(t *testing.T, name string) (out []rule) {
	t.Helper()
	text, err := fs.ReadFile(Files(), name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		out = append(out, g.Rules...)
	}
	if len(out) == 0 {
		t.Fatalf("%s has no rules", name)
	}
	return out
}

const (
	recordingFile = "prometheus/mailtap-recording.yml"
	alertsFile    = "prometheus/mailtap-alerts.yml"
)

func TestPromtoolTakesTheRules(t *testing.T) {
	promtool(t, "check", "config", "prometheus/prometheus.yml")
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", recordingFile, alertsFile)
}

func TestPromtoolTestsTheRules(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	promtool(t, append([]string{"test", "rules"}, ruleTests(t)...)...)
}

func ruleTests(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/prometheus/*_test.yml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

// Each alert has a case in which it fires, and is told of in the docs.
func TestEachAlertIsTestedAndExplained(t *testing.T) {
	var tests strings.Builder
	for _, name := range ruleTests(t) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	for _, r := range rules(t, alertsFile) {
		fires := fmt.Sprintf(`ALERTS{alertname="%s",alertstate="firing",severity="%s"`, r.Alert, r.Labels["severity"])
		if r.Alert != "" && !strings.Contains(tests.String(), fires) {
			t.Errorf("no test has %s, which %s", r.Alert, fires)
		}
	}
	isExplained(t, alertsFile, "prometheus-rules.md")
}

// isExplained holds that each alert says what it is about, and that the page
// which it links to has a heading for it.
func isExplained(t *testing.T, file, page string) {
	t.Helper()
	docs, err := os.ReadFile("../docs/" + page)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules(t, file) {
		if r.Alert == "" {
			continue
		}
		if !slices.Contains([]string{"warning", "critical"}, r.Labels["severity"]) || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s: %v %v", r.Alert, r.Labels, r.Annotations)
		}
		if want := "https://github.com/mailtap/mailtap/blob/main/docs/" + page + "#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s links to %s", r.Alert, r.Annotations["runbook_url"])
		}
		if !strings.Contains(string(docs), "\n### "+r.Alert+"\n") {
			t.Errorf("docs/%s does not tell of %s", page, r.Alert)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(string(docs), -1) {
		if !slices.ContainsFunc(rules(t, file), func(r rule) bool { return r.Alert == m[1] }) {
			t.Errorf("docs/%s tells of %s, which is not there", page, m[1])
		}
	}
}

var recorded = regexp.MustCompile(`[a-z_]+:[a-z0-9_]+:[a-z0-9_]+`)

func TestRulesNameMetricsAndLabelsThatExist(t *testing.T) {
	exist := known()
	made := map[string]bool{}
	for _, r := range rules(t, recordingFile) {
		made[r.Record] = true
	}
	for _, r := range append(rules(t, recordingFile), rules(t, alertsFile)...) {
		at := r.Alert + r.Record
		for _, name := range recorded.FindAllString(r.Expr, -1) {
			if !made[name] {
				t.Errorf("%s: no rule makes %s", at, name)
			}
		}
		expr := recorded.ReplaceAllString(r.Expr, "")
		for _, name := range named.FindAllString(expr, -1) {
			if exist[name] == nil && !slices.Contains(foreign, name) {
				t.Errorf("%s: there is no metric %s", at, name)
			}
		}
		for _, m := range selector.FindAllStringSubmatch(expr, -1) {
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !slices.Contains(exist[m[1]], l[1]) {
					t.Errorf("%s: %s has no label %s", at, m[1], l[1])
				}
			}
		}
	}
	docs, err := os.ReadFile("../docs/prometheus-rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range made {
		if !strings.Contains(string(docs), "`"+name+"`") && !strings.Contains(name, ":mailtap_outbound_refused:") {
			t.Errorf("docs/prometheus-rules.md does not tell of %s", name)
		}
	}
}
