package dashboards

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const lokiFile = "loki/mailtap.yml"

func TestEachLokiAlertIsExplained(t *testing.T) { isExplained(t, lokiFile, "loki-rules.md") }

// recordQueries are the queries of rules and dashboards that go to Loki.
func recordQueries(t *testing.T) (out []asked) {
	t.Helper()
	for _, r := range rules(t, lokiFile) {
		out = append(out, asked{r.Alert, r.Expr})
	}
	for _, b := range shipped(t) {
		for _, p := range b.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type == "loki" {
					out = append(out, asked{b.file + ", " + p.Title, q.Expr})
				}
			}
		}
		for _, a := range b.Annotations.List {
			if a.Datasource.Type == "loki" {
				out = append(out, asked{b.file + ", annotation " + a.Name, a.Expr})
			}
		}
	}
	if len(out) < 20 {
		t.Fatalf("only %d queries were found", len(out))
	}
	return out
}

var (
	// quoted is a string of LogQL; what stands in it is looked at by its own means.
	quoted   = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
	stream   = regexp.MustCompile(`\{([^{}]*)\}`)
	pick     = regexp.MustCompile(`([a-z_]+)="([a-z_.]+)"`)
	picking  = regexp.MustCompile(`\| json((?: [a-z_]+="[a-z_.]+",?)+)`)
	field    = regexp.MustCompile(`\{\{\.([a-z_]+)\}\}`)
	byLabels = regexp.MustCompile(`(?:by|on) \(([a-z_, ]+)\)`)
	filter   = regexp.MustCompile(`\| ([a-z_]+)(?:=~|!~|!=|=)"`)
	kindOf   = regexp.MustCompile(`event="([a-z]+)"`)
)

// lokiLabels are those that sessions/log gives a line.
var lokiLabels = []string{"sensor", "event", "role", "direction"}

// LogQL is checked by its form and by what it names: the labels that mailtap
// gives a line, and the fields that its JSON Schema has.
func TestLokiQueriesNameLabelsAndFieldsThatExist(t *testing.T) {
	for _, q := range recordQueries(t) {
		bare := quoted.ReplaceAllString(q.expr, `""`)
		for _, pair := range []string{"()", "{}", "[]"} {
			if strings.Count(bare, pair[:1]) != strings.Count(bare, pair[1:]) || strings.Count(bare, `"`)%2 != 0 {
				t.Errorf("%s: %s do not match: %s", q.at, pair, q.expr)
			}
		}
		for _, s := range stream.FindAllStringSubmatch(bare, -1) {
			for m := range strings.SplitSeq(s[1], ",") {
				if l := matcher.FindStringSubmatch(m); l == nil || !slices.Contains(lokiLabels, l[1]) {
					t.Errorf("%s: %q is no label of a stream", q.at, m)
				}
			}
		}
		names := append([]string{"__error__"}, lokiLabels...)
		for _, kind := range kindOf.FindAllStringSubmatch(q.expr, -1) {
			fields := fieldsOf(t, kind[1]+"_record")
			for _, picked := range picking.FindAllStringSubmatch(q.expr, -1) {
				for _, m := range pick.FindAllStringSubmatch(picked[1], -1) {
					if names = append(names, m[1]); !slices.Contains(fields, m[2]) {
						t.Errorf("%s: a record of %s has no field %s", q.at, kind[1], m[2])
					}
				}
			}
			if !picking.MatchString(q.expr) && strings.Contains(q.expr, "| json") { // all fields, joined by _
				for _, f := range fields {
					names = append(names, strings.ReplaceAll(f, ".", "_"))
				}
			}
		}
		for _, r := range []*regexp.Regexp{byLabels, filter, field} {
			for _, m := range r.FindAllStringSubmatch(q.expr, -1) {
				for l := range strings.SplitSeq(m[1], ",") {
					if l = strings.TrimSpace(l); !slices.Contains(names, l) {
						t.Errorf("%s: %s is neither a label nor a field: %s", q.at, l, q.expr)
					}
				}
			}
		}
	}
}

// fieldsOf lists the fields of a kind of record that are no lists, as client.ip.
func fieldsOf(t *testing.T, definition string) []string {
	t.Helper()
	text, err := os.ReadFile("../docs/records.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var s schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	fields := s.Defs[definition].fields(s.Defs)
	if len(fields) < 10 {
		t.Fatalf("%s has only the fields %v", definition, fields)
	}
	return fields
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any
	AllOf      []schema
	Properties map[string]schema
	Defs       map[string]schema `json:"$defs"`
}

func (s schema) fields(defs map[string]schema) (out []string) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		out = append(out, defs[name].fields(defs)...)
	}
	for _, part := range s.AllOf {
		out = append(out, part.fields(defs)...)
	}
	for name, p := range s.Properties {
		inner := p.fields(defs)
		for _, f := range inner {
			out = append(out, name+"."+f)
		}
		if len(inner) == 0 && p.Type != "array" {
			out = append(out, name)
		}
	}
	return out
}
