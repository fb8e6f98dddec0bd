package ruletest

import (
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Limits of a test file.
const (
	maxFile   = 1 << 20             // octets
	maxTests  = 1000                // of a file
	maxAlerts = 1000                // expected of a test
	maxTime   = 31 * 24 * time.Hour // of starts, pauses and waits
)

// Suite is a test file, checked.
type Suite struct {
	RuleFiles []string // beside the built-in rules; paths as the caller opens them
	HasHome   bool     // the file says what home is
	Networks  []netip.Prefix
	Domains   []string
	Tests     []Test
}

// Test is one entry of a test file: traffic, and the alerts that must come of it.
type Test struct {
	Name    string
	Line    int
	Capture string        // path as the caller opens it; empty: the traffic is written
	Until   time.Duration // time goes on to this offset from the first packet, at least
	Only    []string      // compare alerts of these rules alone; none: of all

	talks  []talk
	expect []expected
	file   string
}

// Expects lists the rules whose alerts the test names, each once.
func (t *Test) Expects() []string {
	var out []string
	seen := map[string]bool{}
	for _, e := range t.expect {
		if rule := e.rule; !seen[rule] {
			seen[rule] = true
			out = append(out, rule)
		}
	}
	return out
}

// Load reads a test file. name is what errors call it, and where relative
// paths begin. An error is one line that begins with file, line and, where it
// is known, column.
func Load(in io.Reader, name string) (Suite, error) {
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return Suite{}, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxFile {
		return Suite{}, fmt.Errorf("%s:1: a test file has at most %d octets", name, maxFile)
	}
	r := &reader{file: name}
	doc, err := r.parse(data)
	if err != nil {
		return Suite{}, err
	}
	var s Suite
	if err := r.suite(doc, &s); err != nil {
		return Suite{}, err
	}
	return s, nil
}

func (r *reader) suite(n *yaml.Node, s *Suite) error {
	err := r.mapping(n, "the file", table{
		"rule_files": func(n *yaml.Node) error { return r.paths(n, &s.RuleFiles) },
		"home":       func(n *yaml.Node) error { s.HasHome = true; return r.home(n, s) },
		"tests":      func(n *yaml.Node) error { return r.tests(n, s) },
	})
	if err == nil && len(s.Tests) == 0 {
		return r.errorf(n, "tests is missing")
	}
	return err
}

func (r *reader) home(n *yaml.Node, s *Suite) error {
	return r.mapping(n, "home", table{
		"networks": func(n *yaml.Node) error {
			return r.each(n, "networks", func(n *yaml.Node, text string) error {
				p, err := prefixOf(text)
				if err != nil {
					return r.errorf(n, "networks: no network; write for example 192.0.2.0/24")
				}
				s.Networks = append(s.Networks, p)
				return nil
			})
		},
		"domains": func(n *yaml.Node) error {
			return r.each(n, "domains", func(_ *yaml.Node, text string) error {
				s.Domains = append(s.Domains, strings.ToLower(text))
				return nil
			})
		},
	})
}

// prefixOf reads a network; a bare address is a network of one.
func prefixOf(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err
}

// path makes a path relative to the folder of the test file.
func (r *reader) path(text string) string {
	if filepath.IsAbs(text) {
		return text
	}
	return filepath.Join(filepath.Dir(r.file), text)
}

func (r *reader) paths(n *yaml.Node, into *[]string) error {
	return r.each(n, "rule_files", func(_ *yaml.Node, text string) error {
		*into = append(*into, r.path(text))
		return nil
	})
}

func (r *reader) tests(n *yaml.Node, s *Suite) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > maxTests {
		return r.errorf(n, "tests must be a list of 1 to %d tests", maxTests)
	}
	lines := map[string]int{}
	for _, item := range n.Content {
		t, err := r.test(item)
		if err != nil {
			return err
		}
		if line, twice := lines[t.Name]; twice {
			return r.errorf(item, "a test of this name stands in line %d already", line)
		}
		lines[t.Name] = t.Line
		s.Tests = append(s.Tests, t)
	}
	return nil
}

func (r *reader) test(n *yaml.Node) (Test, error) {
	t := Test{Line: n.Line, file: r.file}
	var traffic []string
	given := func(key string, read func(*yaml.Node) error) func(*yaml.Node) error {
		return func(n *yaml.Node) error { traffic = append(traffic, key); return read(n) }
	}
	hasAlerts := false
	err := r.mapping(n, "a test", table{
		"name": func(n *yaml.Node) error { return r.line(n, "name", &t.Name) },
		"capture": given("capture", func(n *yaml.Node) error {
			err := r.line(n, "capture", &t.Capture)
			t.Capture = r.path(t.Capture)
			return err
		}),
		"dialog": given("dialog", func(n *yaml.Node) error {
			one := newTalk(n.Line)
			t.talks = []talk{one}
			return r.dialog(n, &t.talks[0])
		}),
		"conversations": given("conversations", func(n *yaml.Node) error { return r.talks(n, &t.talks) }),
		"until":         func(n *yaml.Node) error { return r.duration(n, "until", &t.Until) },
		"only": func(n *yaml.Node) error {
			return r.each(n, "only", func(_ *yaml.Node, text string) error { t.Only = append(t.Only, text); return nil })
		},
		"alerts": func(n *yaml.Node) error { hasAlerts = true; return r.expectations(n, &t.expect) },
	})
	switch {
	case err != nil:
	case t.Name == "":
		err = r.errorf(n, "a test has no name")
	case len(traffic) != 1:
		err = r.errorf(n, "a test has one of capture, dialog, conversations")
	case !hasAlerts:
		err = r.errorf(n, "alerts is missing; write [] where none may come")
	}
	if err == nil && len(t.talks) > 0 {
		err = t.check()
	}
	return t, err
}
