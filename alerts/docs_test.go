package alerts_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/mailtap/mailtap/alerts"
)

// TestDocs holds the page of the rules equal to the built-in rules, so that
// every runbook link has its place.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented, built []string
	for _, m := range regexp.MustCompile(`(?m)^## (\w+)$`).FindAllSubmatch(page, -1) {
		documented = append(documented, string(m[1]))
	}
	for _, r := range alerts.Builtin().Rules {
		built = append(built, r.Name)
	}
	slices.Sort(documented)
	slices.Sort(built)
	if !slices.Equal(documented, built) {
		t.Errorf("documented %v, built in %v", documented, built)
	}
}
