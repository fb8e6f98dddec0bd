package receivers

import (
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

func TestTemplatesRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{{.Nothing}}`:     "can't evaluate field Nothing",
		`{{range .Alerts}`: "bad character",
		`{{json .}`:        "bad character",
		`{{define "x"}}{{template "x"}}{{end}}{{template "x"}}`:               "not offered",
		`{{block "x" .}}{{end}}`:                                              "not offered",
		`{{template "template" .}}`:                                           "not offered",
		`{{if 1}}{{template "template" .}}{{end}}`:                            "not offered",
		`{{range $i := 1000000000000}}{{end}}`:                                "loops too often",
		`{{range 100000}}{{range 100000}}{{end}}{{end}}`:                      "loops too often",
		`{{range 100000000}}x{{end}}`:                                         "loops too often",
		`{{$x := "a"}}{{range 100}}{{$x = printf "%s%s" $x $x}}{{end}}`:       "longer than",
		`{{$x := "a"}}{{range 100}}{{$x = print $x $x $x}}{{end}}`:            "longer than",
		`{{$x := "&<"}}{{range 1000}}{{$x = html $x $x}}{{end}}`:              "longer than",
		`{{$x := "\\"}}{{range 1000}}{{$x = js $x $x}}{{end}}`:                "longer than",
		`{{$x := "\\"}}{{range 1000}}{{$x = json $x}}{{end}}`:                 "longer than",
		`{{range 100000}}{{step -1000000}}{{end}}{{range 100000}}{{end}}`:     "loops too often",
		`{{range 1000}}{{$.Rule | printf "%999s"}}{{end}}`:                    "longer than",
		`{{printf "%1000000000d" 1}}`:                                         "longer than",
		`{{printf "%.1000000000d" 1}}`:                                        "longer than",
		`{{printf "%*d" 1000000 1}}`:                                          "longer than",
		`{{printf "%[1]*[1]d" 1000000}}`:                                      "longer than",
		strings.Repeat("a", maxTemplate+1):                                    "longer than",
		`{{$x := 1}}{{range 10000000}}{{if eq $x 1}}{{$x = 2}}{{end}}{{end}}`: "loops too often",
		`{"a":"{{.Rule}}"`:                                                    "no JSON",
		`{"a":[{{range .Alerts}}"{{.Summary}}"{{end}}]}`:                      "no JSON",
		``: "no JSON",
	} {
		begin := time.Now()
		_, err := ParseBody(text, "application/json")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%.80s: %v, want %s", text, err, want)
		}
		if d := time.Since(begin); d > 20*time.Second {
			t.Errorf("%.80s: took %s", text, d)
		}
	}
}

func TestTemplateFunctions(t *testing.T) {
	a := sample(1, alerts.Firing)
	a.Summary, a.Sessions = `<"&>`, []string{"a", "b"}
	for text, want := range map[string]string{
		`{{.Summary | json}}`:                        `"\u003c\"\u0026\u003e"`,
		`{{.Summary | html}}`:                        `&lt;&#34;&amp;&gt;`,
		`{{.Summary | mrkdwn}}`:                      `&lt;"&amp;&gt;`,
		`{{join .Sessions ", "}}`:                    `a, b`,
		`{{upper .Status}} {{lower .Rule}}`:          `FIRING r`,
		`{{.Labels.client_ip}}{{.Labels.no}}`:        `192.0.2.1`,
		`{{printf "%05.1f|%-4s|%q" 1.25 "x" .Rule}}`: `001.2|x   |"R"`,
		`{{.Started}}{{.Ended}}`:                     `2026-11-23T12:00:00Z`,
		`{{range .Sessions}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{else}}none{{end}}`: `a`,
		`{{with .Evidence}}{{.}}{{else}}-{{end}}`:                                    `-`,
	} {
		p, err := ParseText(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := p.write(newNoticeAlert(&a)); err != nil || got != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

// Any template is refused or writes a bounded text in bounded time, the same
// one each time.
func FuzzTemplate(f *testing.F) {
	for _, s := range []string{`{{.Rule}}`, `{{range .Sessions}}{{.}}{{end}}`, `{{$x := "a"}}{{range 9}}{{$x = print $x $x}}{{end}}{{$x}}`,
		`{{printf "%[1]*d" 9 1}}`, `{{json .}}`, `{{with $x := .Labels}}{{$x.a}}{{end}}`, `{{slice .Rule 1 5}}`, `{{define "a"}}{{end}}`,
		`{{range 1000000}}{{continue}}{{end}}`, `{{urlquery (html (js .))}}`, `{{/* c */}}{{- len .Labels -}}`, `{{step -9}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		begin := time.Now()
		p, err := ParseText(text)
		if time.Since(begin) > 10*time.Second {
			t.Fatal("slow")
		}
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without words")
			}
			return
		}
		a := sample(1, alerts.Firing)
		first, err := p.write(newNoticeAlert(&a))
		if len(first) > maxTemplateOutput {
			t.Errorf("%d octets", len(first))
		}
		again, err2 := p.write(newNoticeAlert(&a))
		if first != again || (err == nil) != (err2 == nil) {
			t.Errorf("%q, then %q", first, again)
		}
	})
}
