package main

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// problem is one mistake in the configuration: where, which key, what.
type problem struct {
	where string // file:line, the flag or the environment variable
	line  int    // of the file, to sort by
	key   string
	what  string
}

func (p problem) String() string {
	if p.key == "" {
		return p.where + ": " + p.what
	}
	return p.where + ": " + p.key + ": " + p.what
}

// reader turns YAML nodes into the plain values that viper merges, and holds
// each against the type that the configuration has for it.
type reader struct {
	source   string // file name, or the flag or variable
	isFile   bool   // lines mean something
	places   map[string]problem
	problems []problem
}

func (r *reader) at(n *yaml.Node, key string) problem {
	if r.isFile {
		return problem{where: fmt.Sprintf("%s:%d", r.source, n.Line), line: n.Line, key: key}
	}
	return problem{where: r.source, key: key}
}

func (r *reader) fail(n *yaml.Node, key, format string, args ...any) any {
	p := r.at(n, key)
	p.what = fmt.Sprintf(format, args...)
	r.problems = append(r.problems, p)
	return nil
}

// value reads one node as the type wants it; nil where it cannot.
func (r *reader) value(n *yaml.Node, t reflect.Type, key string) any {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	r.places[key] = r.at(n, key)
	switch {
	case isText(t):
		return r.text(n, t, key)
	case t.Kind() == reflect.Struct:
		return r.fields(n, t, key)
	case t.Kind() == reflect.Map:
		return r.entries(n, t, key)
	case t.Kind() == reflect.Slice:
		return r.list(n, t, key)
	}
	return r.scalar(n, t, key)
}

func (r *reader) text(n *yaml.Node, t reflect.Type, key string) any {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return r.fail(n, key, "is %s, a single value is wanted", kindOf(n))
	}
	if err := reflect.New(t).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
		return r.fail(n, key, "%v", err)
	}
	return n.Value
}

func (r *reader) scalar(n *yaml.Node, t reflect.Type, key string) any {
	switch {
	case n.Kind != yaml.ScalarNode:
	case t.Kind() == reflect.String && n.Tag == "!!str":
		return n.Value
	case t.Kind() == reflect.Bool && n.Tag == "!!bool":
		return n.Value == "true" || n.Value == "True" || n.Value == "TRUE"
	case t.Kind() == reflect.Float64 && (n.Tag == "!!int" || n.Tag == "!!float"):
		if v, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return v
		}
	}
	want := map[reflect.Kind]string{reflect.String: "text is wanted (in quotes, where it looks like something else)",
		reflect.Bool: "true or false is wanted", reflect.Float64: "a number is wanted"}[t.Kind()]
	return r.fail(n, key, "is %s, %s", kindOf(n), want)
}

// list reads a list. An empty one is refused: it would mean "none" to one
// reader and "the default" to the next.
func (r *reader) list(n *yaml.Node, t reflect.Type, key string) any {
	if n.Kind != yaml.SequenceNode {
		return r.fail(n, key, "is %s, a list is wanted: [first, second]", kindOf(n))
	}
	if len(n.Content) == 0 {
		return r.fail(n, key, "the list is empty, leave the key out for the default")
	}
	values := make([]any, 0, len(n.Content))
	for i, item := range n.Content {
		values = append(values, r.value(item, t.Elem(), fmt.Sprintf("%s[%d]", key, i)))
	}
	return values
}

// pairs walks a mapping and refuses a key that stands twice.
func (r *reader) pairs(n *yaml.Node, key string, do func(name, value *yaml.Node, path string)) bool {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return true // a heading whose keys are all left out
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, key, "is %s, keys with values are wanted", kindOf(n))
		return false
	}
	first := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i]
		path := strings.TrimPrefix(key+"."+name.Value, ".")
		if line := first[name.Value]; line != 0 {
			r.fail(name, path, "stands twice, first on line %d", line)
			continue
		}
		first[name.Value] = name.Line
		do(name, n.Content[i+1], path)
	}
	return true
}

func (r *reader) fields(n *yaml.Node, t reflect.Type, key string) any {
	out := make(map[string]any)
	ok := r.pairs(n, key, func(name, value *yaml.Node, path string) {
		f, known := fieldOf(t, name.Value)
		if !known {
			r.fail(name, path, "is no key, %s", suggestion(name.Value, keysOf(t)))
			return
		}
		out[name.Value] = r.value(value, f.Type, path)
	})
	if !ok {
		return nil
	}
	return out
}

// wholeMap is a type that viper takes for one value: it would mix the entries
// of a plain map from file and environment.
type wholeMap map[string]any

func (r *reader) entries(n *yaml.Node, t reflect.Type, key string) any {
	out := make(wholeMap)
	ok := r.pairs(n, key, func(name, value *yaml.Node, path string) {
		if err := reflect.New(t.Key()).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(name.Value)); err != nil {
			r.fail(name, path, "%v", err)
			return
		}
		out[name.Value] = r.value(value, t.Elem(), path)
	})
	if ok && len(out) == 0 && len(n.Content) == 0 {
		return r.fail(n, key, "is empty, leave the key out for the default")
	}
	return out
}

func suggestion(word string, allowed []string) string {
	if near := nearest(word, allowed); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	return "allowed is " + strings.Join(allowed, ", ")
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "a set of keys"
	}
	switch n.Tag {
	case "!!null":
		return "empty"
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the word " + n.Value + " for yes or no"
	}
	return fmt.Sprintf("the text %q", n.Value)
}
