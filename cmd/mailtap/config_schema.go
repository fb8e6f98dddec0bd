package main

import (
	"encoding"
	"reflect"
	"slices"
	"strings"
)

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// isText says whether a type reads itself from text.
func isText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// keyOf is the name of a field in the file.
func keyOf(f reflect.StructField) string { return f.Tag.Get("mapstructure") }

// fieldOf finds the field that a key names.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for f := range fields(t) {
		if keyOf(f) == key {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// fields are a struct's own and, in their place, those of the structs within it
// that have no key.
func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.Anonymous {
				if !yield(f) {
					return
				}
				continue
			}
			for inner := range fields(f.Type) {
				if !yield(inner) {
					return
				}
			}
		}
	}
}

// keysOf lists the keys of a struct in their order.
func keysOf(t reflect.Type) []string {
	var keys []string
	for f := range fields(t) {
		keys = append(keys, keyOf(f))
	}
	return keys
}

// setting is one key that a flag or the environment can give: a scalar, a
// list or a map.
type setting struct {
	path []string
	typ  reflect.Type
}

func (s setting) key() string      { return strings.Join(s.path, ".") }
func (s setting) viperKey() string { return strings.Join(s.path, viperDelimiter) }

// env is the name of the environment variable.
func (s setting) env() string {
	return "MAILTAP_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(s.key()))
}

// settings lists every key of the configuration.
func settings() []setting { return settingsOf(reflect.TypeFor[Config](), nil) }

func settingsOf(t reflect.Type, path []string) []setting {
	if t.Kind() != reflect.Struct || isText(t) {
		return []setting{{path, t}}
	}
	var all []setting
	for f := range fields(t) {
		all = append(all, settingsOf(f.Type, append(slices.Clone(path), keyOf(f)))...)
	}
	return all
}

// nearest is the candidate that a mistyped word most likely meant, empty
// where none is near.
func nearest(word string, candidates []string) string {
	best, least := "", 3
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); d < least && d < len(c) {
			best, least = c, d
		}
	}
	return best
}

// distance is the number of letters to add, drop or change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
