package alerts_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/alerts"
)

// sections are those of every page of a rule, in order.
var sections = []string{"What it means", "On the wire", "False positives", "What to do", "Tuning"}

// TestRunbooks holds the pages equal to the built-in rules, so that every
// runbook link has its place, and what they say of tuning right.
func TestRunbooks(t *testing.T) {
	const dir = "../docs/runbooks"
	var want []string
	for _, r := range alerts.Builtin().Rules {
		file := strings.ToLower(r.Name) + ".md"
		want = append(want, file)
		if !strings.HasSuffix(r.Runbook, "/docs/runbooks/"+file) {
			t.Errorf("%s: its link is %s", r.Name, r.Runbook)
		}
		page, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		if !strings.HasPrefix(string(page), "# "+r.Name+"\n") {
			t.Errorf("%s is not called %s", file, r.Name)
		}
		var got []string
		for _, m := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(string(page), -1) {
			got = append(got, m[1])
		}
		if !slices.Equal(got, sections) {
			t.Errorf("%s has the sections %q, want %q", file, got, sections)
		}
		tuning(t, r.Name, string(page))
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	var there []string
	for _, f := range files {
		there = append(there, f.Name())
	}
	if !slices.Equal(there, want) {
		t.Errorf("pages %q, rules %q", there, want)
	}
}

// tuning loads the example of a page as a site would.
func tuning(t *testing.T, rule, page string) {
	_, example, ok := strings.Cut(page, "\n```yaml\n")
	example, _, closed := strings.Cut(example, "\n```\n")
	if !ok || !closed || !strings.Contains(example, "override:\n  - {name: "+rule+", ") {
		t.Errorf("%s: the page has no override of it", rule)
		return
	}
	site, err := alerts.LoadRules(strings.NewReader(example), rule)
	if err == nil {
		_, err = alerts.Builtin().Merge(site)
	}
	if err != nil {
		t.Error(err)
	}
}

// TestTableOfRules holds the table of docs/alerts.md equal to the built-in rules.
func TestTableOfRules(t *testing.T) {
	page, err := os.ReadFile("../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, built []string
	for _, m := range regexp.MustCompile(`(?m)^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| .+ \| .+ \| (.*?) ?\|$`).FindAllStringSubmatch(string(page), -1) {
		documented = append(documented, m[1]+" "+m[2]+" "+m[3])
	}
	for _, r := range alerts.Builtin().Rules {
		built = append(built, r.Name+" "+strings.ToLower(r.Name)+" "+strings.Join(r.Techniques, ", "))
	}
	slices.Sort(documented)
	slices.Sort(built)
	if !slices.Equal(documented, built) {
		t.Errorf("documented\n%s\nbuilt in\n%s", strings.Join(documented, "\n"), strings.Join(built, "\n"))
	}
}

// TestTableOfCosts holds that the table of docs/performance.md has a line for
// each built-in rule and kind of event that it reads.
func TestTableOfCosts(t *testing.T) {
	page, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "<!-- rules: begin")
	table, _, ok := strings.Cut(table, "<!-- rules: end")
	if !ok {
		t.Fatal("no table")
	}
	var measured, built []string
	for _, m := range regexp.MustCompile(`(?m)^\| (\w+) \| (\w+) \| [\d,]+ \| \d+ \| [\d,]+ \| \d+ \|$`).FindAllStringSubmatch(table, -1) {
		measured = append(measured, m[1]+"/"+m[2])
	}
	for _, r := range alerts.Builtin().Rules {
		for _, kind := range r.Events() {
			built = append(built, r.Name+"/"+kind)
		}
	}
	if !slices.Equal(measured, built) {
		t.Errorf("measured\n%s\nbuilt in\n%s\nmeasure them: BENCH_UPDATE=1 .ci/bench.sh rules", strings.Join(measured, "\n"), strings.Join(built, "\n"))
	}
}
