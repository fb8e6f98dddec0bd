package alerts

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// rule is a good rule; each fixture spoils one thing in it.
const good = `rules:
  - name: R
    event: auth
    when: auth.denied
    group_by: client.ip
    fire: {count: {threshold: 3, window: 5m}}
    summary: '{value} from {client.ip}'
`

func TestRuleFileErrors(t *testing.T) {
	load(t, good)
	cases := []struct{ name, old, new, want string }{
		{"unknown key", "    when:", "    wenn:", `rules.yaml:4:5: rule R: unknown key "wenn" in a rule; allowed: any, disabled, event, fire, for, group_by, inhibits, labels, name, repeat_interval, runbook, severity, storm, summary, techniques, when`},
		{"unknown top key", "rules:", "rule:", `rules.yaml:1:1: unknown key "rule" in the file; allowed: override, rules`},
		{"unknown fire key", "window: 5m", "windows: 5m", `rules.yaml:6:34: rule R: unknown key "windows" in count; allowed: forgive, threshold, window`},
		{"key twice", "    event: auth", "    event: auth\n    event: auth", `rules.yaml:4:5: rule R: key "event" stands twice in a rule`},
		{"unknown event", "event: auth", "event: login", `rules.yaml:3:12: rule R: unknown event "login"; allowed: attempt, session, command, auth, mail, tls, anomaly, capture`},
		{"no event", "    event: auth\n", "", `rules.yaml:2:5: rule R: event is missing; allowed: attempt, session, command, auth, mail, tls, anomaly, capture`},
		{"unknown field", "auth.denied", "auth.denid", `rules.yaml:4:16: rule R: when: unknown field denid; allowed: authzid, code, denied, encrypted, enhanced, mechanism, result, secret_exposed, username`},
		{"field of another event", "auth.denied", "mail.smuggled", `rules.yaml:4:11: rule R: when: unknown name mail; an event of the kind auth has auth, client, direction, origin, role, server, session, source, time`},
		{"connection of a capture", "event: auth\n    when: auth.denied", "event: capture\n    when: client.ip != \"\"", `rules.yaml:4:11: rule R: when: unknown name client: an event of the kind capture belongs to no connection`},
		{"type error", "auth.denied", "auth.code == \"535\"", `rules.yaml:4:21: rule R: when: invalid operation: == (mismatched types int and string)`},
		{"no condition", "auth.denied", "auth.code", `rules.yaml:4:11: rule R: when: expected bool, but got int`},
		{"syntax error", "auth.denied", "auth.denied and (", `rules.yaml:4:27: rule R: when: unexpected token EOF`},
		{"quoted", "when: auth.denied", `when: "auth.denid"`, `rules.yaml:4:17: rule R: when: unknown field denid; allowed: authzid, code, denied, encrypted, enhanced, mechanism, result, secret_exposed, username`},
		{"in a block", "when: auth.denied", "when: |\n      auth.denied and\n      auth.denid", `rules.yaml:6:12: rule R: when: unknown field denid; allowed: authzid, code, denied, encrypted, enhanced, mechanism, result, secret_exposed, username`},
		{"the clock", "auth.denied", "now() > time", `rules.yaml:4:11: rule R: when: unknown name now; an event of the kind auth has auth, client, direction, origin, role, server, session, source, time`},
		{"unknown group", "group_by: client.ip", "group_by: [client.ip, client.host]", `rules.yaml:5:34: rule R: group_by: unknown field host; allowed: ip, port`},
		{"group of a list", "group_by: client.ip", "group_by: auth", `rules.yaml:5:15: rule R: group_by: auth must be a text, a number or a boolean`},
		{"no unit", "window: 5m", "window: 5", `rules.yaml:6:42: rule R: window: "5" is no duration; write a number with its unit, such as 30s, 5m, 24h or 7d`},
		{"zero window", "window: 5m", "window: 0s", `rules.yaml:6:42: rule R: window: 0s is out of range; allowed: more than 0 up to 31d`},
		{"negative window", "window: 5m", "window: -5m", `rules.yaml:6:42: rule R: window: -5m is out of range; allowed: more than 0 up to 31d`},
		{"endless window", "window: 5m", "window: 32d", `rules.yaml:6:42: rule R: window: 32d is out of range; allowed: more than 0 up to 31d`},
		{"no window", ", window: 5m", "", `rules.yaml:6:19: rule R: count has no window`},
		{"zero threshold", "threshold: 3", "threshold: 0", `rules.yaml:6:31: rule R: threshold must be a whole number from 1 to 1000`},
		{"threshold as text", "threshold: 3", "threshold: '3'", `rules.yaml:6:31: rule R: threshold must be a whole number from 1 to 1000`},
		{"unknown fire", "count", "sometimes", `rules.yaml:6:12: rule R: unknown way to fire "sometimes"; allowed: each, count, distinct, ratio, spike, after, unlike, lasting`},
		{"lasting without longer", "count: {threshold: 3, window: 5m}", "lasting: {by: client.ip, window: 1h}", `rules.yaml:6:21: rule R: lasting has no longer`},
		{"unlike five others", "count: {threshold: 3, window: 5m}", "unlike: {when: auth.denied, by: server.ip, other: client.ip, least: 5, window: 5m}", `rules.yaml:6:80: rule R: least must be a whole number from 1 to 4`},
		{"reserved label in group_by", "group_by: client.ip", "group_by: {severity: client.ip}", `rules.yaml:5:16: rule R: "severity" is no free label name; allowed: lower-case letters, digits and underscores, but not alertname, severity, sensor, instance, storm`},
		{"label twice in group_by", "group_by: client.ip", "group_by: {a: client.ip, a: server.ip}", `rules.yaml:5:30: rule R: key "a" stands twice in group_by`},
		{"fire without settings", "fire: {count: {threshold: 3, window: 5m}}", "fire: count", `rules.yaml:6:11: rule R: fire must be each, or one of each, count, distinct, ratio, spike, after, unlike, lasting with its settings`},
		{"limit below floor", "{count: {threshold: 3, window: 5m}}", "{spike: {floor: 9, limit: 8}}", `rules.yaml:6:12: rule R: spike: limit (8) must not be below floor (9)`},
		{"unknown severity", "summary:", "severity: high\n    summary:", `rules.yaml:7:15: rule R: unknown severity "high"; allowed: info, warning, critical, or an expression that yields one`},
		{"unknown severity in an expression", "summary:", `severity: 'auth.denied ? "high" : auth.code > 500 ? "info" : "warning"'` + "\n    summary:", `rules.yaml:7:30: rule R: unknown severity "high"; allowed: info, warning, critical, or an expression that yields one`},
		{"field of an item", "event: auth\n    when: auth.denied", "event: mail\n    when: any(mail.rejected, .cod > 500)", `rules.yaml:4:31: rule R: when: unknown field cod; allowed: code, enhanced, to`},
		{"severity of a number", "summary:", "severity: auth.code\n    summary:", `rules.yaml:7:15: rule R: severity: expected string, but got int`},
		{"short repeat", "summary:", "repeat_interval: 1s\n    summary:", `rules.yaml:7:22: rule R: repeat_interval: 1s is out of range; allowed: 1m to 31d`},
		{"no summary", "    summary: '{value} from {client.ip}'\n", "", `rules.yaml:2:5: rule R: summary is missing`},
		{"unknown field in the summary", "from {client.ip}", "from {client.up}", `rules.yaml:7:36: rule R: summary: unknown field up; allowed: ip, port`},
		{"open brace", "from {client.ip}", "from {client.ip", `rules.yaml:7:28: rule R: summary: { without }`},
		{"no name", "- name: R\n    event", "- event", `rules.yaml:2:5: a rule has no name`},
		{"bad name", "name: R", "name: my rule", `rules.yaml:2:11: name must be a letter followed by up to 63 letters, digits or underscores`},
		{"reserved label", "summary:", "labels: {severity: x}\n    summary:", `rules.yaml:7:14: rule R: "severity" is no free label name; allowed: lower-case letters, digits and underscores, but not alertname, severity, sensor, instance, storm`},
		{"label of the group", "summary:", "labels: {client_ip: x}\n    summary:", `rules.yaml:7:25: rule R: label client_ip stands for a group_by field already`},
		{"duplicate name", "    summary: '{value} from {client.ip}'\n", "    summary: s\n  - {name: R, event: tls, summary: s}\n", `rules.yaml:8:5: rule R: a rule of this name stands in line 2 already`},
		{"alias", "when: auth.denied", "when: &x auth.denied\n    severity: *x", `rules.yaml:4:11: anchors and aliases are not part of the rule language`},
		{"no list", "rules:\n  - name: R\n    event", "rules:\n  name: R\n  x:\n    event", `rules.yaml:2:3: rules must be a list of at most 1000 rules`},
		{"no YAML", "auth.denied", "auth: denied", `rules.yaml:4: no valid YAML: mapping values are not allowed in this context`},
		{"two documents", "rules:", "{}\n---\nrules:", `rules.yaml:1: a rule file holds one YAML document`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(good, c.old) {
				t.Fatal("the fixture spoils nothing")
			}
			_, err := LoadRules(strings.NewReader(strings.Replace(good, c.old, c.new, 1)), "rules.yaml")
			if err == nil {
				t.Fatal("loaded")
			}
			if err.Error() != c.want {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	set, err := Builtin().Merge(load(t, `
override:
  - {name: AuthBruteForce, threshold: 10, window: 1h, severity: critical, repeat_interval: 30m}
  - {name: NotSMTP, disabled: true}
  - {name: MessageRateSpike, floor: 100, limit: 500}
  - {name: DeliveryDeferred, window: 5m}
rules:
  - {name: Mine, event: tls, summary: s}
`))
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*Rule{}
	for i := range set.Rules {
		by[set.Rules[i].Name] = &set.Rules[i]
	}
	r := by["AuthBruteForce"]
	if r.Fires() != "auth: 10 in 1h" || r.Severity != Critical || r.Severities()[0] != Critical || r.Repeat() != 30*time.Minute {
		t.Errorf("%s, %s, %s", r.Fires(), r.Severities(), r.Repeat())
	}
	if f := by["MessageRateSpike"].triggers[1].fire; f.floor != 100 || f.limit != 500 {
		t.Errorf("%+v", f)
	}
	if f := by["DeliveryDeferred"].Fires(); f != "mail: adaptive, floor 30 in 5m; mail: lasting longer than 4h" || by["DeliveryDeferred"].triggers[1].fire.window != 8*time.Hour {
		t.Errorf("DeliveryDeferred: %s, %+v", f, by["DeliveryDeferred"].triggers[1].fire)
	}
	if !by["NotSMTP"].Disabled || by["Mine"] == nil || len(set.Rules) != len(contract)+1 {
		t.Error("disabled or added rule")
	}
	for _, r := range Builtin().Rules {
		if r.Name == "AuthBruteForce" && r.Fires() != "auth: 5 in 5m" {
			t.Error("Merge changed the built-in rules")
		}
	}
	e, _ := engine(t, set, site)
	for _, r := range e.Stats().Rules {
		if r.Rule == "NotSMTP" {
			t.Error("a disabled rule runs")
		}
	}
}

func TestMergeErrors(t *testing.T) {
	for in, want := range map[string]string{
		"rules:\n  - {name: OpenRelay, event: tls, summary: s}":     "site.yaml:2:5: rule OpenRelay: the name is taken (builtin.yaml:",
		"override:\n  - {name: OpenRelais, disabled: true}":         "site.yaml:2:5: rule OpenRelais: there is no such rule to override",
		"override:\n  - {name: OpenRelay, threshold: 3}":            "site.yaml:2:34: rule OpenRelay: the rule has no threshold to override",
		"override:\n  - {name: OpenRelay, floor: 3}":                "site.yaml:2:30: rule OpenRelay: the rule has no floor or limit to override",
		"override:\n  - {name: OpenRelay, severity: mail.from + 1}": "site.yaml:2:43: rule OpenRelay: severity: invalid operation",
		"override:\n  - {name: OpenRelay, severity: tls.sni}":       "site.yaml:2:33: rule OpenRelay: severity: unknown name tls",
		"override:\n  - {name: MessageRateSpike, floor: 1000}":      "site.yaml:2:37: rule MessageRateSpike: spike: limit (200) must not be below floor (1000)",
		"override:\n  - {name: A, disabled: true}\n  - {name: A}":   "site.yaml:3:5: rule A: an override of this rule stands in line 2 already",
		"override:\n  - {name: A, disable: true}":                   `site.yaml:2:15: rule A: unknown key "disable" in an override; allowed: disabled, floor, for, limit, name, repeat_interval, severity, storm, threshold, window`,
		"override:\n  - {name: A, disabled: 1}":                     "site.yaml:2:25: rule A: disabled must be true or false",
	} {
		set, err := LoadRules(strings.NewReader(in), "site.yaml")
		if err == nil {
			_, err = Builtin().Merge(set)
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s\ngot  %v\nwant %s", in, err, want)
		}
	}
}

func TestEmptyFile(t *testing.T) {
	for _, in := range []string{"", "# nothing\n", "{}", "null"} {
		if set, err := LoadRules(strings.NewReader(in), "x"); err != nil || len(set.Rules) != 0 {
			t.Errorf("%q: %v", in, err)
		}
	}
	if _, err := LoadRules(bytes.NewReader(make([]byte, maxRuleFile+1)), "x"); err == nil {
		t.Error("an endless file loaded")
	}
}
