package alerts

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// reader walks the nodes of a rule file. Nodes rather than struct decoding: a
// node knows its line and column, and an error must name both.
type reader struct {
	file  string
	body  string            // of the whole file
	line  []int             // where each line begins in text
	rule  string            // being read, for errors
	check func(*Rule) error // of a rule that was read
}

func (r *reader) position(n *yaml.Node) position { return position{r.file, n.Line, n.Column} }

func (r *reader) errorf(n *yaml.Node, format string, args ...any) error {
	return placed(r.position(n), r.rule, fmt.Sprintf(format, args...))
}

// placed makes the one-line error of a rule file: place, rule, what is wrong.
func placed(at position, rule, what string) error {
	what = strings.Join(strings.Fields(what), " ")
	if rule != "" {
		return fmt.Errorf("%s: rule %s: %s", at, rule, what)
	}
	return fmt.Errorf("%s: %s", at, what)
}

// table says what the keys of a mapping do.
type table map[string]func(n *yaml.Node) error

// mapping reads a mapping by a table: an unknown key or a second one of the
// same name is an error.
func (r *reader) mapping(n *yaml.Node, what string, keys table) error {
	if n.Kind != yaml.MappingNode {
		return r.errorf(n, "%s must be a mapping (key: value)", what)
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		read, ok := keys[key.Value]
		if !ok {
			return r.errorf(key, "unknown key %q in %s; allowed: %s", Clip(key.Value), what, strings.Join(names(keys), ", "))
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

func names(keys table) []string {
	out := make([]string, 0, len(keys))
	for k := range keys {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func (r *reader) text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" || strings.TrimSpace(n.Value) == "" {
		return "", r.errorf(n, "%s must be a text", what)
	}
	return strings.TrimSpace(n.Value), nil
}

// source reads an expression or template and where its first character stands.
func (r *reader) source(n *yaml.Node, what string, into *source) error {
	s, err := r.text(n, what)
	if err != nil {
		return err
	}
	*into = source{text: s, whole: s, from: r.position(n), raw: r.written(n)}
	into.at = into.place(0)
	return nil
}

// sources reads one expression or a list of them.
func (r *reader) sources(n *yaml.Node, what string, into *[]source) error {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	*into = make([]source, len(nodes))
	for i, item := range nodes {
		if err := r.source(item, what, &(*into)[i]); err != nil {
			return err
		}
	}
	return nil
}

// some is sources of which there must be one.
func (r *reader) some(n *yaml.Node, what string, into *[]source) error {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		return r.errorf(n, "%s must name something", what)
	}
	return r.sources(n, what, into)
}

func (r *reader) texts(n *yaml.Node, what string, into *[]string) error {
	if n.Kind != yaml.SequenceNode {
		return r.errorf(n, "%s must be a list", what)
	}
	for _, item := range n.Content {
		s, err := r.text(item, what)
		if err != nil {
			return err
		}
		*into = append(*into, s)
	}
	return nil
}

func (r *reader) boolean(n *yaml.Node, what string, into *bool) error {
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		return r.errorf(n, "%s must be true or false", what)
	}
	return n.Decode(into)
}

// duration reads a length of time; a bare number is refused, for its unit
// would be a guess.
func (r *reader) duration(n *yaml.Node, what string, into *time.Duration) error {
	s, err := r.text(n, what)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(daysToHours(s))
	if err != nil {
		return r.errorf(n, "%s: %q is no duration; write a number with its unit, such as 30s, 5m, 24h or 7d", what, Clip(s))
	}
	if d <= 0 || d > MaxWindow {
		return r.errorf(n, "%s: %s is out of range; allowed: more than 0 up to 31d", what, Clip(s))
	}
	*into = d
	return nil
}

var wholeDays = regexp.MustCompile(`^(\d{1,4})d$`)

func daysToHours(s string) string {
	if m := wholeDays.FindStringSubmatch(s); m != nil {
		days, _ := strconv.Atoi(m[1])
		return strconv.Itoa(days*24) + "h"
	}
	return s
}

func (r *reader) integer(n *yaml.Node, what string, low, high int, into *int) error {
	v, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || err != nil || v < low || v > high {
		return r.errorf(n, "%s must be a whole number from %d to %d", what, low, high)
	}
	*into = v
	return nil
}

func (r *reader) float(n *yaml.Node, what string, into *float64) error {
	v, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || (n.Tag != "!!int" && n.Tag != "!!float") || err != nil || !(v > 0 && v <= 1e9) {
		return r.errorf(n, "%s must be a number above 0, at most 1e9", what)
	}
	*into = v
	return nil
}

// noAliases refuses what makes a small file large (an anchor used many times).
func (r *reader) noAliases(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return r.errorf(n, "anchors and aliases are not part of the rule language")
	}
	for _, c := range n.Content {
		if err := r.noAliases(c); err != nil {
			return err
		}
	}
	return nil
}

// syntaxError puts the YAML library's error into our form.
func (r *reader) syntaxError(err error) error {
	var multi *yaml.TypeError
	if errors.As(err, &multi) && len(multi.Errors) > 0 {
		err = errors.New("yaml: " + multi.Errors[0])
	}
	at, what := position{file: r.file, line: 1}, err.Error()
	if m := regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`).FindStringSubmatch(what); m != nil {
		if line, err := strconv.Atoi(m[1]); err == nil {
			at.line = line
		}
		what = m[2]
	}
	return placed(at, "", "no valid YAML: "+what)
}
