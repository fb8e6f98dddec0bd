package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The examples of the documentation and the tests of the built-in rules are run
// by the same code as anybody's.
func TestRuleTestsPass(t *testing.T) {
	for _, file := range []string{"../../docs/examples/rules/my-rules.test.yaml", "../../alerts/testdata/builtin.test.yaml"} {
		status, stdout, stderr := call("", "rules", "test", file)
		if status != 0 || stderr != "" || strings.Count(stdout, ": ok\n") < 4 {
			t.Errorf("%s: status %d\n%s%s", file, status, stdout, stderr)
		}
	}
}

// written puts texts into files of one folder and gives the folder.
func written(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const wrongLogin = `
      - client: 198.51.100.7
        server: 10.0.0.25:587
        repeat: 5
        every: 10s
        dialog: |
          S: 220 hi
          C: EHLO client
          S: 250-hi
          S: 250 AUTH PLAIN
          C: AUTH PLAIN {base64 \0bob\0hunter2}
          S: 535 5.7.8 no
`

// A failed test shows both sides, and nothing of what was typed.
func TestRuleTestsFail(t *testing.T) {
	dir := written(t, map[string]string{"x.yaml": `home: {networks: [10.0.0.0/24], domains: [corp.test]}
tests:
  - name: wrong in every way
    conversations:` + wrongLogin + `    only: [AuthBruteForce, PlaintextCredentials, OpenRelay]
    alerts:
      - {rule: AuthBruteForce, severity: critical, at: 41s, key: 198.51.100.7, value: 5}
      - {rule: AuthBruteForce, status: resolved}
      - {rule: OpenRelay}
  - name: nothing is expected
    conversations:` + wrongLogin + `    only: [AuthBruteForce]
    alerts: []
`})
	status, stdout, stderr := call("", "rules", "test", dir+"/x.yaml")
	if status != 1 || stderr != "mailtap: 2 of 2 tests failed\n" {
		t.Errorf("status %d, %q", status, stderr)
	}
	golden(t, "testdata/rules/failed.txt", strings.ReplaceAll(stdout, dir+"/", ""))
	if strings.Contains(stdout, "hunter2") || strings.Contains(stdout, "AGJvYgBodW50ZXIy") {
		t.Error("a secret is told")
	}
}

func TestRuleTestFilesAreChecked(t *testing.T) {
	one := func(body string) string {
		return "tests:\n  - name: a\n    dialog: \"S: 220 hi\"\n    alerts: []\n" + body
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown rule":  {one("    only: [AuthBruteFrce]\n"), "x.yaml:2: test a: there is no rule AuthBruteFrce"},
		"rule file":     {"rule_files: [none.yaml]\n" + one(""), "x.yaml: rule_files: open "},
		"broken rules":  {"rule_files: [bad.yaml]\n" + one(""), "x.yaml: rule_files: "},
		"unknown key":   {one("    alert: []\n"), `x.yaml:5:5: unknown key "alert" in a test; allowed: `},
		"no capture":    {"tests:\n  - {name: a, capture: none.pcap, alerts: []}\n", "1 of 1 test failed"},
		"not a capture": {"tests:\n  - {name: a, capture: bad.yaml, alerts: []}\n", "1 of 1 test failed"},
	} {
		dir := written(t, map[string]string{"x.yaml": c.text, "bad.yaml": "rules:\n  - {name: R, event: auth, when: auth.denid, summary: s}\n"})
		status, _, stderr := call("", "rules", "test", dir+"/x.yaml")
		wrong := 2
		if strings.Contains(c.want, "failed") {
			wrong = 1
		}
		if status != wrong || !strings.Contains(strings.ReplaceAll(stderr, dir+"/", ""), c.want) {
			t.Errorf("%s: status %d, %q, want %q", name, status, stderr, c.want)
		}
	}
}

// The rules of the configuration count in tests of rules.
func TestRuleTestsUseTheConfiguration(t *testing.T) {
	dir := written(t, map[string]string{
		"mailtap.yaml": "alerts: {rules: {override: [{name: AuthBruteForce, threshold: 6}]}}\n",
		"x.yaml":       "tests:\n  - name: a\n    only: [AuthBruteForce]\n    conversations:" + wrongLogin + "    alerts: []\n",
	})
	if status, stdout, stderr := call("", "rules", "test", "--config", dir+"/mailtap.yaml", dir+"/x.yaml"); status != 0 {
		t.Errorf("status %d\n%s%s", status, stdout, stderr)
	}
}

func TestRulesCheck(t *testing.T) {
	dir := written(t, map[string]string{
		"good.yaml": "rules:\n  - {name: R, event: auth, summary: s}\noverride:\n  - {name: NotSMTP, disabled: true}\n  - {name: OpenRelay, severity: info}\n",
		"type.yaml": "rules:\n  - name: R\n    event: auth\n    when: >-\n      auth.denied\n      and auth.code == \"535\"\n    summary: s\n",
		"none.yaml": "override:\n  - {name: OpenRelais, disabled: true}\n",
		"odd.yaml": "override:\n  - {name: AuthBruteForce, threshold: 5}\nrules:\n" +
			"  - {name: Never, event: auth, when: 1 > 2, summary: s}\n" +
			"  - {name: Typo, event: attempt, when: 'attempt.result in [\"refusd\"]', summary: s}\n" +
			"  - {name: Two, event: auth, fire: {distinct: {field: auth.denied, threshold: 3, window: 1m}}, summary: s}\n",
	})
	for _, c := range []struct {
		files          []string
		status         int
		stdout, stderr string
	}{
		{[]string{"good.yaml"}, 0, "good.yaml: 1 rule, 2 overrides: good\n", ""},
		{[]string{"type.yaml", "none.yaml", "good.yaml"}, 2, "good.yaml: 1 rule, 2 overrides: good\n",
			"mailtap: type.yaml:6:21: rule R: when: invalid operation: == (mismatched types int and string)\n" +
				"mailtap: none.yaml:2:5: rule OpenRelais: there is no such rule to override\n"},
		{[]string{"odd.yaml"}, 0, "odd.yaml: 3 rules, 1 override: good\n",
			"mailtap: warning: odd.yaml:2:5: rule AuthBruteForce: the override changes nothing\n" +
				"mailtap: warning: odd.yaml:4:38: rule Never: the condition is never true: this never fires\n" +
				"mailtap: warning: odd.yaml:5:41: rule Typo: attempt.result is never \"refusd\"; it is one of established, refused, unanswered\n" +
				"mailtap: warning: odd.yaml:6:55: rule Two: distinct: the threshold is 3, but there are only 2 different values: this never fires\n"},
	} {
		args := []string{"rules", "check"}
		for _, f := range c.files {
			args = append(args, dir+"/"+f)
		}
		status, stdout, stderr := call("", args...)
		stdout, stderr = strings.ReplaceAll(stdout, dir+"/", ""), strings.ReplaceAll(stderr, dir+"/", "")
		if status != c.status || stdout != c.stdout || stderr != c.stderr {
			t.Errorf("%v: status %d\n%s%s\nwant %d\n%s%s", c.files, status, stdout, stderr, c.status, c.stdout, c.stderr)
		}
	}
	if status, stdout, _ := call("", "rules", "check", "--config", "testdata/config/none.yaml"); status != 2 || stdout != "" {
		t.Errorf("no configuration: status %d, %q", status, stdout)
	}
	if status, stdout, stderr := call("", "rules", "check"); status != 0 || !strings.HasPrefix(stdout, "built-in: ") || stderr != "" {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}

func TestRulesList(t *testing.T) {
	dir := written(t, map[string]string{
		"mailtap.yaml": "alerts:\n  rules:\n    override:\n      - {name: NotSMTP, disabled: true}\n      - {name: AuthBruteForce, threshold: 9}\n",
	})
	_, stdout, stderr := call("", "rules", "list", "--config", dir+"/mailtap.yaml")
	for _, want := range []string{"NotSMTP info disabled, overridden", "AuthBruteForce warning,critical auth: 9 in 5m source.ip on, overridden",
		"OpenRelay critical off: it cannot judge without home.domains", "PasswordSpray warning,critical source.ip on"} {
		if !hasWords(stdout, strings.Fields(want)) {
			t.Errorf("no line with %s in\n%s", want, stdout)
		}
	}
	var list []listedRule
	if _, stdout, _ := call("", "rules", "list", "--format", "json", "--config", dir+"/mailtap.yaml"); json.Unmarshal([]byte(stdout), &list) != nil || len(list) < 19 {
		t.Errorf("%d rules in %s", len(list), stdout)
	}
	for _, r := range list {
		if r.Name == "" || r.State == "" || len(r.Events) == 0 || r.Fires == "" || r.At == "" || (r.State == "off") != (r.Reason != "") {
			t.Errorf("%+v", r)
		}
	}
	if stderr != "" {
		t.Error(stderr)
	}
	_, one, _ := call("", "rules", "print")
	_, two, _ := call("", "rules", "list", "--yaml")
	if one != two || !strings.Contains(one, "name: AuthBruteForce") {
		t.Error("the built-in file is not printed")
	}
}

// hasWords says whether a line has these words in this order, the first at its
// beginning.
func hasWords(text string, words []string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		rest, all := strings.Fields(line), true
		for i, w := range words {
			for i > 0 && len(rest) > 0 && rest[0] != w {
				rest = rest[1:]
			}
			if len(rest) == 0 || rest[0] != w {
				all = false
				break
			}
			rest = rest[1:]
		}
		if all {
			return true
		}
	}
	return false
}
