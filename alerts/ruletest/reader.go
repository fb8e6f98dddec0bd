package ruletest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of a test file: a node knows its line and column.
type reader struct{ file string }

func (r *reader) errorf(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s", r.file, n.Line, n.Column, fmt.Sprintf(format, args...))
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

func (r *reader) parse(data []byte) (*yaml.Node, error) {
	var doc yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		// What the library says may repeat the text: only the line is told.
		line := "1"
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			line = m[1]
		}
		return nil, fmt.Errorf("%s:%s: no valid YAML", r.file, line)
	}
	if len(doc.Content) == 0 {
		return nil, fmt.Errorf("%s:1: tests is missing", r.file)
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s:1: a test file holds one YAML document", r.file)
	}
	return doc.Content[0], r.noAliases(&doc)
}

// noAliases refuses what makes a small file large.
func (r *reader) noAliases(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return r.errorf(n, "anchors and aliases are not part of a test file")
	}
	for _, c := range n.Content {
		if err := r.noAliases(c); err != nil {
			return err
		}
	}
	return nil
}

// table says what the keys of a mapping do.
type table map[string]func(n *yaml.Node) error

// wordKey is a key that can be shown: not a line of a conversation that lost
// its indentation.
var wordKey = regexp.MustCompile(`^[a-z_]{1,20}$`)

func (r *reader) mapping(n *yaml.Node, what string, keys table) error {
	if n.Kind != yaml.MappingNode {
		return r.errorf(n, "%s must be a mapping (key: value)", what)
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		read, ok := keys[key.Value]
		if !ok {
			shown := ""
			if wordKey.MatchString(key.Value) {
				shown = " " + strconv.Quote(key.Value)
			}
			return r.errorf(key, "unknown key%s in %s; allowed: %s", shown, what, allowed(keys))
		}
		if seen[key.Value] {
			return r.errorf(key, "key %q stands twice in %s", key.Value, what)
		}
		seen[key.Value] = true
		if err := read(n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

func allowed(keys table) string {
	out := make([]string, 0, len(keys))
	for k := range keys {
		out = append(out, k)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (r *reader) text(n *yaml.Node, what string, into *string) error {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		return r.errorf(n, "%s must be a text", what)
	}
	*into = n.Value
	return nil
}

// line reads a text that is shown: one line of it.
func (r *reader) line(n *yaml.Node, what string, into *string) error {
	if err := r.text(n, what, into); err != nil {
		return err
	}
	*into = strings.TrimSpace(*into)
	if strings.ContainsAny(*into, "\n\r\x1b") {
		return r.errorf(n, "%s must be one line", what)
	}
	return nil
}

// each reads a list of texts, or one text.
func (r *reader) each(n *yaml.Node, what string, take func(*yaml.Node, string) error) error {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	for _, item := range items {
		var text string
		if err := r.line(item, what, &text); err != nil {
			return err
		}
		if err := take(item, text); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) duration(n *yaml.Node, what string, into *time.Duration) error {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || d < 0 || d > maxTime {
		return r.errorf(n, "%s must be a time with its unit from 0s to 744h, such as 30s, 5m or 1h30m", what)
	}
	*into = d
	return nil
}

func (r *reader) whole(n *yaml.Node, what string, low, high int, into *int) error {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < low || v > high {
		return r.errorf(n, "%s must be a whole number from %d to %d", what, low, high)
	}
	*into = v
	return nil
}
