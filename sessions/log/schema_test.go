package log

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const docs = "../../docs"

func readSchema(t *testing.T) (whole *jsonschema.Schema, raw map[string]any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(docs, "records.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("records.json", doc); err != nil {
		t.Fatal(err)
	}
	return c.MustCompile("records.json"), doc.(map[string]any)
}

func TestRecordsHoldTheSchema(t *testing.T) {
	schema, _ := readSchema(t)
	for name, line := range examples() {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v\n%s", name, err, line)
		}
	}
}

func TestSchemaRefusesWhatIsNoRecord(t *testing.T) {
	schema, _ := readSchema(t)
	for _, line := range []string{
		`{}`, `{"event":"session","time":"2026-03-09T08:07:06Z"}`, `{"event":"mail","time":null}`,
		`{"event":"mail","time":"2026-03-09T08:07:06.000000000Z","subject":""}`,
		`{"event":"auth","time":"2026-03-09T08:07:06.000000000Z","password":"x"}`,
	} {
		v, _ := jsonschema.UnmarshalJSON(strings.NewReader(line))
		if schema.Validate(v) == nil {
			t.Errorf("the schema takes %s", line)
		}
	}
}

// fields are the paths below a schema, objects of fixed fields expanded.
func fields(defs, schema map[string]any, prefix string, into map[string]bool) {
	props, _ := schema["properties"].(map[string]any)
	for name, p := range props {
		path := prefix + name
		sub := follow(defs, p.(map[string]any))
		if items, ok := sub["items"].(map[string]any); ok && items["properties"] != nil {
			sub, path = items, path+"[]"
		}
		if sub["properties"] != nil && name != "tls" {
			fields(defs, sub, path+".", into)
			continue
		}
		into[path] = true
	}
}

func follow(defs, schema map[string]any) map[string]any {
	ref, ok := schema["$ref"].(string)
	if !ok {
		return schema
	}
	return defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
}

// schemaFields gives the fields by the sections of docs/records.md.
func schemaFields(t *testing.T) map[string]map[string]bool {
	_, doc := readSchema(t)
	defs := doc["$defs"].(map[string]any)
	of := func(name string) map[string]bool {
		got := map[string]bool{}
		fields(defs, defs[name].(map[string]any), "", got)
		return got
	}
	out := map[string]map[string]bool{"tls": of("tls"), "auth": of("auth"), "mail": of("mail")}
	session, alert := of("session_record"), of("alert_record")
	common := map[string]bool{}
	for f := range session {
		if alert[f] {
			common[f] = true
		}
	}
	for f := range common {
		delete(session, f)
		delete(alert, f)
	}
	out["common"], out["session"], out["alert"] = common, session, alert
	return out
}

var (
	sectionLine = regexp.MustCompile(`^## (\w+)$`)
	fieldLine   = regexp.MustCompile("^\\| `([a-z0-9_.\\[\\]]+)` \\|")
)

// documented are the fields of docs/records.md by section.
func documented(t *testing.T) map[string]map[string]bool {
	data, err := os.ReadFile(filepath.Join(docs, "records.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, section := map[string]map[string]bool{}, ""
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if m := sectionLine.FindStringSubmatch(line); m != nil {
			section = m[1]
		} else if m := fieldLine.FindStringSubmatch(line); m != nil {
			if out[section] == nil {
				out[section] = map[string]bool{}
			}
			out[section][m[1]] = true
		}
	}
	return out
}

func TestDocumentationListsTheSchemasFields(t *testing.T) {
	want, got := schemaFields(t), documented(t)
	for section := range want {
		for f := range want[section] {
			if !got[section][f] {
				t.Errorf("docs/records.md lacks %s in section %s", f, section)
			}
		}
		for f := range got[section] {
			if !want[section][f] {
				t.Errorf("docs/records.md lists %s in section %s, the schema does not", f, section)
			}
		}
	}
}

// Every field of the schema is written by the encoder for one example at least:
// with the schema refusing unknown fields, both know the same.
func TestEncoderWritesEveryFieldOfTheSchema(t *testing.T) {
	written := map[string]bool{}
	for _, line := range examples() {
		var v map[string]any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		section := v["event"].(string)
		collect(v, section+":", written)
	}
	for section, want := range schemaFields(t) {
		prefix := map[string]string{"common": "session:", "tls": "session:tls."}[section]
		if prefix == "" {
			prefix = section + ":"
		}
		for _, f := range slices.Sorted(maps.Keys(want)) {
			if !written[prefix+f] {
				t.Errorf("no example has %s%s", prefix, f)
			}
		}
	}
}

func collect(v any, path string, into map[string]bool) {
	into[strings.TrimSuffix(path, ".")] = true
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			p := path + k
			into[p] = true
			if list, ok := x.([]any); ok {
				for _, e := range list {
					collect(e, p+"[].", into)
				}
				continue
			}
			collect(x, p+".", into)
		}
	}
}

// notYet are names of the contract that no record has so far.
var notYet = []string{
	"inferred",
}

var word = regexp.MustCompile("`\"?([a-z][a-z0-9_]*)\"?`")

// TestContract holds the schema against the contract where it is at hand.
func TestContract(t *testing.T) {
	data, err := os.ReadFile("../../../shared/contract/records.md")
	if err != nil {
		t.Skip("the contract is not here")
	}
	schema, err := os.ReadFile(filepath.Join(docs, "records.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range word.FindAllSubmatch(data, -1) {
		name := string(m[1])
		known := bytes.Contains(schema, []byte(`"`+name+`"`)) || slices.Contains(notYet, name) || name == "lmtp" || name == "relay" || strings.HasPrefix(name, "submission")
		if !known {
			t.Errorf("the contract names %s, the schema does not", name)
		}
	}
}
