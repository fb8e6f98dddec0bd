package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
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
