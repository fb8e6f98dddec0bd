package main

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/spf13/pflag"
)

// The documentation speaks of what is there: its links lead somewhere, its
// commands are taken, its metrics and keys are known.

// docPage is one file of the documentation.
type docPage struct{ name, text string }

func documentation(t *testing.T) []docPage {
	t.Helper()
	var pages []docPage
	add := func(name string) {
		text, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, docPage{name, string(text)})
	}
	add("README.md")
	err := filepath.WalkDir("../../docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			rel, _ := filepath.Rel("../..", name)
			add(filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil || len(pages) < 20 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	return pages
}

var (
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inline = regexp.MustCompile("`[^`\n]+`")
	fence  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
)

// TestDocumentationLinks holds every relative link and anchor against files and
// headings.
func TestDocumentationLinks(t *testing.T) {
	pages := documentation(t)
	anchors := make(map[string]map[string]bool)
	for _, p := range pages {
		anchors[p.name] = headings(p.text)
	}
	for _, p := range pages {
		for _, m := range link.FindAllStringSubmatch(inline.ReplaceAllString(fence.ReplaceAllString(p.text, ""), ""), -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(m[1], "#")
			to := path.Join(path.Dir(p.name), file)
			if file == "" {
				to = p.name
			}
			if _, err := os.Stat(filepath.Join("../..", to)); err != nil {
				t.Errorf("%s: %s leads nowhere", p.name, m[1])
				continue
			}
			if anchor != "" && strings.HasSuffix(to, ".md") && !anchors[to][anchor] {
				t.Errorf("%s: %s has no heading #%s", p.name, to, anchor)
			}
		}
	}
}

// TestDocumentationIndex: every page can be found from the index.
func TestDocumentationIndex(t *testing.T) {
	index, err := os.ReadFile("../../docs/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range documentation(t) {
		name := strings.TrimPrefix(p.name, "docs/")
		if name != "README.md" && !strings.Contains(name, "/") && !bytes.Contains(index, []byte("("+name+")")) {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}

// headings are the anchors of a page, as GitHub makes them.
func headings(text string) map[string]bool {
	out := make(map[string]bool)
	for line := range strings.Lines(fence.ReplaceAllString(text, "")) {
		title, found := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if !found || !strings.HasPrefix(line, "#") {
			continue
		}
		var anchor strings.Builder
		for _, r := range strings.ToLower(strings.TrimSpace(link.ReplaceAllString(title, ""))) {
			switch {
			case r == ' ':
				anchor.WriteByte('-')
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				anchor.WriteRune(r)
			}
		}
		out[anchor.String()] = true
	}
	return out
}

// TestDocumentedCommands gives every mailtap command line of the documentation
// to the parser: commands, flags, number of arguments.
func TestDocumentedCommands(t *testing.T) {
	n := 0
	for _, p := range documentation(t) {
		for _, line := range commandsOf(p.text) {
			n++
			if err := parses(line); err != nil {
				t.Errorf("%s: %s: %v", p.name, strings.Join(line.args, " "), err)
			}
		}
	}
	if n < 50 {
		t.Errorf("only %d commands found: the search is wrong", n)
	}
}

// TestDocumentedCommandsCanFail: what is no command is refused.
func TestDocumentedCommandsCanFail(t *testing.T) {
	for _, text := range []string{"`mailtap observe`", "    sudo mailtap run --interfaces eth1", "    x | ./mailtap read", "`mailtap version now`"} {
		list := commandsOf(text)
		if len(list) != 1 || parses(list[0]) == nil {
			t.Errorf("%q: %v is taken", text, list)
		}
	}
}

// documentedCommand is one with what stands behind the program's name.
type documentedCommand struct {
	args  []string
	named bool // within a sentence, which may leave out what a command works on
}

// commandsOf finds command lines: in code, a word mailtap behind nothing, a prompt or a
// pipe, up to what ends a command.
func commandsOf(text string) (out []documentedCommand) {
	find := func(code string, named bool) {
		code, _, _ = strings.Cut(code, " #")
		for command := range strings.SplitSeq(strings.ReplaceAll(code, "&&", "|"), "|") {
			if words := commandWords(command); len(words) > 0 {
				out = append(out, documentedCommand{words, named})
			}
		}
	}
	for line := range strings.Lines(text) {
		if code, indented := strings.CutPrefix(line, "    "); indented {
			find(code, false)
			continue
		}
		for _, m := range inline.FindAllString(line, -1) {
			find(strings.Trim(m, "`"), true)
		}
	}
	return out
}

// commandWords are a command's arguments, nil where it is none of ours.
func commandWords(command string) []string {
	words := strings.Fields(command)
	for len(words) > 1 && (words[0] == "sudo" || words[0] == "$" || strings.Contains(words[0], "=") && words[0] == strings.ToUpper(words[0])) {
		words = words[1:]
	}
	if len(words) > 2 && words[0] == "-u" { // sudo's
		words = words[2:]
	}
	if len(words) < 2 || path.Base(words[0]) != "mailtap" || strings.ContainsAny(words[0], ":[") || strings.HasSuffix(words[0], "/") {
		return nil
	}
	var args []string
	for _, w := range words[1:] {
		if w == ">" || w == "<" || w == "&" || strings.HasPrefix(w, ">") || strings.HasPrefix(w, "2>") {
			break
		}
		args = append(args, strings.Trim(strings.TrimSuffix(w, ";"), `'"[]`))
	}
	return args
}

func parses(d documentedCommand) error {
	p := &program{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard}
	root := p.rootCommand()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	c, rest, err := root.Find(d.args)
	if err != nil {
		return err
	}
	if last := d.args[len(d.args)-1]; d.named && strings.HasPrefix(last, "--") && !strings.Contains(last, "=") {
		rest = append(rest, "value")
	}
	if err := c.ParseFlags(rest); err != nil && err != pflag.ErrHelp {
		return err
	}
	if d.named && c.Flags().NArg() == 0 {
		return nil
	}
	return c.ValidateArgs(c.Flags().Args())
}

var metricName = regexp.MustCompile(`\bmailtap_[a-z0-9_]+`)

// TestDocumentedMetrics: each metric that a page names is one of ours.
func TestDocumentedMetrics(t *testing.T) {
	table, err := os.ReadFile("../../docs/metrics.md") // which a test keeps
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for _, m := range regexp.MustCompile("(?m)^\\| `(mailtap_[a-z0-9_]+)`").FindAllStringSubmatch(string(table), -1) {
		known[m[1]] = true
	}
	known["mailtap_top_messages"] = true
	if len(known) < 40 {
		t.Fatalf("%d metrics", len(known))
	}
	for _, p := range documentation(t) {
		for _, at := range metricName.FindAllStringIndex(p.text, -1) {
			name := p.text[at[0]:at[1]]
			base := name
			if strings.HasPrefix(p.text[at[1]:], ":") || strings.HasSuffix(p.text[:at[0]], ":") { // a recording rule's
				continue
			}
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				base = strings.TrimSuffix(base, suffix)
			}
			if !known[name] && !known[base] && !strings.HasSuffix(name, "_") {
				t.Errorf("%s: there is no metric %s", p.name, name)
			}
		}
	}
}

// TestDocumentedKeys: each key of the configuration that a page names in code is
// one, and so is each environment variable.
func TestDocumentedKeys(t *testing.T) {
	known, tops, variables := knownKeys()
	key := regexp.MustCompile("^`(-*)([a-z_]+(?:\\.[a-z_-]+)+)(?:[ :=][^`]*)?`$")
	variable := regexp.MustCompile(`\bMAILTAP_[A-Z_]+\b`)
	for _, p := range documentation(t) {
		for _, code := range inline.FindAllString(p.text, -1) {
			m := key.FindStringSubmatch(code)
			if m == nil {
				continue
			}
			top, _, _ := strings.Cut(m[2], ".")
			isFile := slices.Contains([]string{".go", ".yaml", ".json", ".md", ".sh", ".pcap", ".log", ".local", ".state", ".damaged"}, path.Ext(m[2]))
			if p.name == "docs/alerts.md" && top == "capture" { // fields of rules
				continue
			}
			if tops[top] && !isFile && !known[m[2]] {
				t.Errorf("%s: there is no key %s", p.name, m[2])
			}
		}
		for _, name := range variable.FindAllString(p.text, -1) {
			if !variables[name] && !strings.HasPrefix(name, "MAILTAP_TEST_") && !strings.HasPrefix(name, "MAILTAP_LABEL_") {
				t.Errorf("%s: there is no variable %s", p.name, name)
			}
		}
	}
}

// knownKeys are all keys and what they stand in, their first words, and the variables.
func knownKeys() (known, tops, variables map[string]bool) {
	known, tops = make(map[string]bool), make(map[string]bool)
	variables = map[string]bool{"MAILTAP_CONFIG": true, "MAILTAP_": true, "MAILTAP_FLOOD": true, "MAILTAP_PEERS": true, "MAILTAP_KILLS": true,
		"MAILTAP_RULE":      true, // what a command that receives alerts gets
		"MAILTAP_INTERFACE": true} // of packaging/compose
	for _, s := range settings() {
		for i := range s.path {
			known[strings.Join(s.path[:i+1], ".")] = true
		}
		if len(s.path) > 1 {
			tops[s.path[0]] = true
		}
		variables[s.env()] = true
	}
	delete(tops, "tls")                                                // records have such fields too
	for _, section := range []string{"metrics", "alerts", "servers"} { // within lists
		known[section] = true
	}
	return known, tops, variables
}
