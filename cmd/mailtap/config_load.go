package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// viperDelimiter is none of the signs that a key can have.
const viperDelimiter = "::"

// configError is every mistake of the configuration, one a line.
type configError []problem

func (e configError) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// loader merges flags, environment and file over the defaults.
type loader struct {
	file   string // empty: none
	flags  *pflag.FlagSet
	getenv func(string) (string, bool)
	names  func() []string // of all environment variables
	// allowed is asked before files that it names are read: why they cannot be; nil: all can.
	allowed func(*Config) error
}

// load reads, checks and merges every source. Its error names each mistake
// with its file and line, flag or variable.
func (l *loader) load() (Config, error) {
	v := viper.NewWithOptions(viper.KeyDelimiter(viperDelimiter))
	r := &reader{places: make(map[string]problem)}
	if err := l.readFile(r, v); err != nil {
		return Config{}, err
	}
	l.readEnvironment(r, v)
	l.readFlags(r, v)
	if len(r.problems) > 0 {
		return Config{}, sorted(r.problems)
	}
	cfg := Default()
	if err := v.UnmarshalExact(&cfg, strictly); err != nil {
		return Config{}, fmt.Errorf("configuration: %w", err)
	}
	if l.allowed != nil {
		if err := l.allowed(&cfg); err != nil {
			return Config{}, err
		}
	}
	if found := check(&cfg); len(found) > 0 {
		return Config{}, located(found, r.places)
	}
	return cfg, nil
}

func (l *loader) readFile(r *reader, v *viper.Viper) error {
	if l.file == "" {
		return nil
	}
	text, err := os.ReadFile(l.file)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	root, err := parse(text)
	if err != nil {
		return fmt.Errorf("%s:%w", l.file, err)
	}
	r.source, r.isFile = l.file, true
	values, ok := r.value(root, reflect.TypeFor[Config](), "").(map[string]any)
	r.isFile = false
	if !ok {
		return nil
	}
	return v.MergeConfigMap(values)
}

// parse reads one YAML document; an empty one sets nothing. An error begins
// with its line.
func parse(text []byte) (*yaml.Node, error) {
	var doc, more yaml.Node
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	err := d.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	if err != nil {
		text := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "yaml: "), "\n", " ")
		if rest, numbered := strings.CutPrefix(text, "line "); numbered {
			return nil, errors.New(rest)
		}
		return nil, errors.New(" " + text)
	}
	if d.Decode(&more) == nil {
		return nil, fmt.Errorf("%d: a second document, one is wanted", more.Line)
	}
	return doc.Content[0], nil
}

func (l *loader) readEnvironment(r *reader, v *viper.Viper) {
	known := make([]string, 0, 64)
	for _, s := range settings() {
		known = append(known, s.env())
		if text, ok := l.getenv(s.env()); ok && text != "" {
			r.source = "environment variable " + s.env()
			v.Set(s.viperKey(), r.fromText(text, s.typ, s.key()))
		}
	}
	for _, name := range l.names() {
		if !strings.HasPrefix(name, "MAILTAP_") || slices.Contains(known, name) {
			continue
		}
		// Only a near miss is a mistake: an orchestrator may set variables of its own under the prefix.
		if near := nearest(name, known); near != "" {
			r.problems = append(r.problems, problem{where: "environment variable " + name, what: "is no setting, did you mean " + near + "?"})
		}
	}
}

func (l *loader) readFlags(r *reader, v *viper.Viper) {
	if l.flags == nil {
		return
	}
	for _, s := range settings() {
		if f := l.flags.Lookup(s.key()); f != nil && f.Changed {
			r.source = "flag --" + f.Name
			v.Set(s.viperKey(), r.fromText(f.Value.String(), s.typ, s.key()))
		}
	}
}

// fromText reads the text of a flag or variable: a plain value, values with
// commas between, or YAML as the file would have it.
func (r *reader) fromText(text string, t reflect.Type, key string) any {
	if isText(t) || t.Kind() == reflect.String {
		return r.value(&yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}, t, key)
	}
	if t.Kind() == reflect.Slice && isText(t.Elem()) && !strings.HasPrefix(text, "[") {
		return r.value(commaList(text), t, key)
	}
	node, err := parse([]byte(text))
	if err != nil {
		r.problems = append(r.problems, problem{where: r.source, key: key, what: strings.TrimSpace(err.Error())})
		return nil
	}
	return r.value(node, t, key)
}

func commaList(text string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for item := range strings.SplitSeq(text, ",") {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: strings.TrimSpace(item)})
	}
	return list
}

// strictly makes viper's decoder take nothing for something else, and lists
// and maps replace the default instead of mixing with it.
func strictly(c *mapstructure.DecoderConfig) {
	c.ErrorUnused, c.WeaklyTypedInput, c.ZeroFields = true, false, true
	c.DecodeHook = mapstructure.TextUnmarshallerHookFunc()
}

// located adds to each finding the place that set the value.
func located(found []problem, places map[string]problem) configError {
	for i, p := range found {
		for key := p.key; key != ""; key = key[:max(0, strings.LastIndexAny(key, ".["))] {
			if at, ok := places[key]; ok {
				found[i].where, found[i].line = at.where, at.line
				break
			}
		}
		if found[i].where == "" {
			found[i].where = "configuration"
		}
	}
	return sorted(found)
}

func sorted(found []problem) configError {
	slices.SortStableFunc(found, func(a, b problem) int { return a.line - b.line })
	return found
}

// environment lists the names of this process's variables.
func environment() []string {
	names := make(map[string]bool)
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		names[name] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// withSite sets what a text of the configuration's form says.
func withSite(cfg Config, text string) (Config, error) {
	root, err := parse([]byte(text))
	if err != nil {
		return cfg, err
	}
	r := &reader{source: "site", places: make(map[string]problem)}
	values := r.value(root, reflect.TypeFor[Config](), "")
	if len(r.problems) > 0 {
		return cfg, sorted(r.problems)
	}
	v := viper.NewWithOptions(viper.KeyDelimiter(viperDelimiter))
	if err := v.MergeConfigMap(values.(map[string]any)); err != nil {
		return cfg, err
	}
	return cfg, v.UnmarshalExact(&cfg, strictly)
}
