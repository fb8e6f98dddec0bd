package main

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
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
	b.WriteString("| key | type | default | flag | environment | meaning |\n|---|---|---|---|---|---|\n")
	for _, s := range settings() {
		value := "unset"
		if n := at(root, s.path); n != nil {
			flow, err := yaml.Marshal(n)
			if err != nil {
				t.Fatal(err)
			}
			value = "`" + strings.TrimSpace(string(flow)) + "`"
		}
		if docs[s.key()] == "" {
			t.Errorf("default.yaml does not say what %s is", s.key())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | `%s` | %s |\n",
			s.key(), typeName(t, s.typ), value, flagNames(s), s.env(), strings.ReplaceAll(docs[s.key()], "|", `\|`))
	}
	return b.String()
}

// flagNames are the setting's own and the short one, where there is one.
func flagNames(s setting) string {
	names := []string{"`--" + s.key() + "`"}
	for _, short := range slices.Sorted(maps.Keys(shortFlags)) {
		if shortFlags[short] == s.key() {
			names = append(names, "`--"+short+"`")
		}
	}
	return strings.Join(names, ", ")
}

// typeNames says what of the configuration's types a value is of.
var typeNames = map[reflect.Type]string{
	reflect.TypeFor[Duration](): "time", reflect.TypeFor[Size](): "size", reflect.TypeFor[Count](): "number",
	reflect.TypeFor[Shards](): "auto or number", reflect.TypeFor[Port](): "port", reflect.TypeFor[Prefix](): "network",
	reflect.TypeFor[Name](): "name", reflect.TypeFor[Role](): "role", reflect.TypeFor[Path](): "path", reflect.TypeFor[URL](): "URL",
	reflect.TypeFor[ListenAddress](): "host:port", reflect.TypeFor[RecordKind](): "kind", reflect.TypeFor[bool](): "true or false",
	reflect.TypeFor[string](): "text", reflect.TypeFor[SyslogURL](): "URL", reflect.TypeFor[Percent](): "percent",
}

func typeName(t *testing.T, of reflect.Type) string {
	if name, known := typeNames[of]; known {
		return name
	}
	switch of.Kind() {
	case reflect.Slice:
		return "list of " + typeName(t, of.Elem())
	case reflect.Map:
		return "map of " + typeName(t, of.Key()) + " to " + typeName(t, of.Elem())
	case reflect.Pointer:
		return typeName(t, of.Elem())
	case reflect.String, reflect.Struct:
		return strings.ToLower(spaced.ReplaceAllString(strings.TrimSuffix(of.Name(), "Config"), "$1 $2"))
	}
	t.Errorf("%s has no name for the documentation", of)
	return ""
}

var spaced = regexp.MustCompile(`([a-z])([A-Z])`)

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
