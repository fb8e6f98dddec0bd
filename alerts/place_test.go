package alerts

import (
	"strings"
	"testing"
)

// TestPlaces holds that an error stands where its word stands in the file,
// however YAML lets a text be written. Each text goes on for a rule of auth
// events; the mistake is marked by ^ behind it, which is taken out.
func TestPlaces(t *testing.T) {
	for name, text := range map[string]string{
		"plain":                      "    when: auth.denied and auth.^denid\n    summary: s\n",
		"plain, two lines":           "    when: auth.denied\n      and auth.^denid\n    summary: s\n",
		"plain, an empty line":       "    when: auth.denied\n\n\n        and  auth.^denid\n    summary: s\n",
		"folded":                     "    when: >-\n      auth.denied\n      and auth.^denid\n    summary: s\n",
		"folded, deeper":             "    when: >\n      auth.denied\n         and auth.^denid\n    summary: s\n",
		"folded, a remark":           "    when: >- # why\n\n      auth.^denid\n    summary: s\n",
		"literal":                    "    when: |\n      auth.denied and\n      auth.^denid\n    summary: s\n",
		"literal, indented by order": "    when: |2\n        auth.^denid\n    summary: s\n",
		"single quotes":              "    when: 'auth.username == ''x'' or auth.^denid'\n    summary: s\n",
		"single quotes, two lines":   "    when: 'auth.username == ''x''\n      or auth.^denid'\n    summary: s\n",
		"double quotes":              "    when: \"auth.username == \\\"x\\\" or auth.^denid\"\n    summary: s\n",
		"double quotes, escapes":     "    when: \"auth.username == \\\"x\\\"\\n or\\tauth.^denid\"\n    summary: s\n",
		"double quotes, joined":      "    when: \"auth.denied or \\\n      auth.^denid\"\n    summary: s\n",
		"tagged":                     "    when: !!str auth.^denid\n    summary: s\n",
		"other letters":              "    when: 'auth.username == \"Ünïcöde\" or auth.^denid'\n    summary: s\n",
		"CR LF":                      "    when: >-\r\n      auth.denied\r\n      and auth.^denid\r\n    summary: s\r\n",
		"summary":                    "    summary: '{client.ip} and {auth.^denid}'\n",
		"summary, folded":            "    summary: >-\n      {client.ip} failed\n      and {auth.^denid} too\n",
		"summary, blanks":            "    summary: 'é {   auth.^denid   }'\n",
		"summary, open":              "    summary: >-\n      so\n      ^{auth.denied\n",
		"label":                      "    summary: s\n    labels:\n      a: x\n      b: 'to {auth.^denid}'\n",
		"group":                      "    summary: s\n    group_by:\n      - client.ip\n      - >-\n        auth.^denid\n",
		"severity":                   "    summary: s\n    severity: >-\n      auth.denied ? 'info'\n      : auth.^denid\n",
		"distinct":                   "    summary: s\n    fire:\n      distinct:\n        field: [client.ip, auth.^denid]\n        threshold: 3\n        window: 1m\n",
		"forgive":                    "    summary: s\n    fire:\n      count:\n        threshold: 3\n        window: 1m\n        forgive: {when: 'auth.^denid'}\n",
		"after":                      "    summary: s\n    fire:\n      after: {when: 'auth.^denid', by: client.ip, threshold: 3, window: 1m}\n",
		"trigger":                    "    summary: s\n    any:\n      - {when: auth.denied}\n      - when: >-\n          auth.^denid\n",
		"spike too short":            "    summary: s\n    fire:\n      ^spike: {floor: 3, limit: 5, window: 999ms}\n",
		"spike with limit":           "    summary: s\n    fire:\n      ^spike: {floor: 6, limit: 5}\n",
		"window of null":             "    summary: s\n    fire:\n      count: {threshold: 3, window: ^~}\n",
		"window of a list":           "    summary: s\n    fire:\n      count: {threshold: 3, window: ^[5m]}\n",
		"threshold too large":        "    summary: s\n    fire:\n      count: {threshold: ^1001, window: 5m}\n",
		"threshold of a float":       "    summary: s\n    fire:\n      count: {threshold: ^3.5, window: 5m}\n",
		"window overflows":           "    summary: s\n    fire:\n      count: {threshold: 3, window: ^9999999999h}\n",
		"floor of no number":         "    summary: s\n    fire:\n      spike: {floor: ^.nan, limit: 5}\n",
		"floor below zero":           "    summary: s\n    fire:\n      spike: {floor: ^-1, limit: 5}\n",
		"distinct of nothing":        "    summary: s\n    fire:\n      distinct: {field: ^[], threshold: 3, window: 1m}\n",
		"label twice":                "    summary: s\n    labels: {a: x, ^a: y}\n",
		"severity unknown":           "    summary: s\n    severity: >-\n      ^high\n",
		"when of a mapping":          "    summary: s\n    when: ^{a: b}\n",
		"techniques of a text":       "    summary: s\n    techniques: ^T1110\n",
		"disabled of a text":         "    summary: s\n    disabled: ^'yes'\n",
		"a bare text":                "    summary: ^''\n",
	} {
		t.Run(name, func(t *testing.T) {
			text = "rules:\n  - name: R\n    event: auth\n" + text
			before, after, marked := strings.Cut(text, "^")
			if !marked {
				t.Fatal("no mark")
			}
			want := position{"f.yaml", 1 + strings.Count(before, "\n"), 1 + len([]rune(before[strings.LastIndex(before, "\n")+1:]))}
			_, err := LoadRules(strings.NewReader(before+after), "f.yaml")
			if err == nil || !strings.HasPrefix(err.Error(), want.String()+": rule R: ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got  %v\nwant %s: rule R: ...", err, want)
			}
		})
	}
}

// A text by another's numbers (an escape by code) still has a place near by.
func TestPlaceBehindAnEscape(t *testing.T) {
	_, err := LoadRules(strings.NewReader("rules:\n  - {name: R, event: auth, summary: s, when: \"auth\\x2edenid\"}\n"), "f.yaml")
	if err == nil || !strings.HasPrefix(err.Error(), "f.yaml:2:51: rule R: when: unknown field denid") {
		t.Error(err)
	}
}
