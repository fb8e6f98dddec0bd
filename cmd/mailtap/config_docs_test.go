package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mailtap/mailtap/sessions"
)

const (
	tableBegin = "<!-- table: begin, kept by a test -->\n"
	tableEnd   = "<!-- table: end -->"
)

// The table of docs/configuration.md is default.yaml's.
func TestDocumentationListsEveryKey(t *testing.T) {
	const file = "../../docs/configuration.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), tableBegin)
	_, tail, closed := strings.Cut(rest, tableEnd)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table: %s%s", file, tableBegin, tableEnd)
	}
	golden(t, file, head+tableBegin+settingsTable(t)+tableEnd+tail)
}

func settingsTable(t *testing.T) string {
	root, err := parse([]byte(defaultFile))
	if err != nil {
		t.Fatal(err)
	}
	docs := descriptions()
	var b strings.Builder
	b.WriteString("| key | default | meaning |\n|---|---|---|\n")
	for _, s := range settings() {
		value := "unset"
		if n := at(root, s.path); n != nil {
			flow, err := yaml.Marshal(n)
			if err != nil {
				t.Fatal(err)
			}
			value = "`" + strings.TrimSpace(string(flow)) + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.key(), value, strings.ReplaceAll(docs[s.key()], "|", `\|`))
	}
	return b.String()
}

// at finds the value of a key, nil where the file leaves it out.
func at(n *yaml.Node, path []string) *yaml.Node {
	for _, key := range path {
		var next *yaml.Node
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == key {
				next = n.Content[i+1]
			}
		}
		if next == nil {
			return nil
		}
		n = next
	}
	n.HeadComment = ""
	return n
}

// The table of docs/limits.md has every limit of default.yaml with what tells
// that it was reached.
func TestDocumentationListsEveryLimit(t *testing.T) {
	const file = "../../docs/limits.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(text), tableBegin)
	_, tail, closed := strings.Cut(rest, tableEnd)
	if !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	root, err := parse([]byte(defaultFile))
	if err != nil {
		t.Fatal(err)
	}
	docs := descriptions()
	known := map[string]bool{}
	var b strings.Builder
	b.WriteString("| limit | default | of what | tells it | and then |\n|---|---|---|---|---|\n")
	for _, l := range sessions.LimitTable {
		key := "limits." + l.Key
		known[key] = true
		n := at(root, []string{"limits", l.Key})
		if n == nil {
			t.Errorf("default.yaml has no %s", key)
			continue
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` | %s |\n", key, n.Value, docs[key], l.Tells, l.Does)
	}
	for _, s := range settings() {
		if key := s.key(); strings.HasPrefix(key, "limits.") && !known[key] {
			t.Errorf("sessions.LimitTable lacks %s", key)
		}
	}
	golden(t, file, head+tableBegin+b.String()+tableEnd+tail)
}
