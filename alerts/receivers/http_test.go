package receivers

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// byHTTP makes each kind of receiver that posts.
var byHTTP = map[string]func(HTTP) (notify.Receiver, error){
	"webhook": func(h HTTP) (notify.Receiver, error) {
		return NewWebhook(WebhookOptions{URL: h.URL, Headers: h.Headers, Timeout: h.Timeout, TLS: h.TLS, Secret: "s1gn-k3y"})
	},
	"alertmanager": func(h HTTP) (notify.Receiver, error) {
		return NewAlertmanager(AlertmanagerOptions{Instances: []HTTP{h}})
	},
	"slack": func(h HTTP) (notify.Receiver, error) { return NewSlack(ChatOptions{HTTP: h}) },
	"teams": func(h HTTP) (notify.Receiver, error) { return NewTeams(ChatOptions{HTTP: h}) },
}

// Every failure of HTTP, for every kind: what is final, what is tried again, and
// no secret in any error.
func TestFailuresOfHTTP(t *testing.T) {
	answer := func(code int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", retryAfter)
			w.WriteHeader(code)
			w.Write([]byte("T0KEN hunter2"))
		}
	}
	cases := []struct {
		name    string
		handler http.HandlerFunc
		final   bool
		after   time.Duration
		words   string
	}{
		{"500", answer(500, ""), false, 0, "answered 500"},
		{"503", answer(503, "30"), false, 30 * time.Second, "answered 503"},
		{"429", answer(429, "7"), false, 7 * time.Second, "answered 429"},
		{"408", answer(408, ""), false, 0, "answered 408"},
		{"400", answer(400, "7"), true, 0, "answered 400"},
		{"403", answer(403, ""), true, 0, "answered 403"},
		{"redirect", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/T0KEN", http.StatusTemporaryRedirect)
		}, true, 0, "answered 307"},
		{"reset", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, false, 0, "EOF"},
		{"hang", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false, 0, "no answer in time"},
	}
	for kind, make := range byHTTP {
		for _, c := range cases {
			t.Run(kind+"/"+c.name, func(t *testing.T) {
				s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					json.NewDecoder(r.Body).Decode(new(any)) // a server sees that the client is gone only behind the body
					c.handler(w, r)
				}))
				defer s.Close()
				timeout := 10 * time.Second
				if c.name == "hang" {
					timeout = 50 * time.Millisecond
				}
				r, err := make(HTTP{URL: strings.Replace(s.URL, "//", "//user:hunter2@", 1) + "/T0KEN", Timeout: timeout, Headers: map[string]string{"Authorization": "Bearer b34rer"}})
				if err != nil {
					t.Fatal(err)
				}
				how := fails(t, r, "T0KEN", "hunter2", "b34rer", "s1gn-k3y")
				if how.Final != c.final || how.After != c.after || !strings.Contains(how.What, c.words) {
					t.Errorf("%+v", how)
				}
			})
		}
		t.Run(kind+"/no TLS", func(t *testing.T) {
			r, _ := make(HTTP{URL: "https" + strings.TrimPrefix(newInbox(t, false).URL, "http") + "/T0KEN"})
			if how := fails(t, r, "T0KEN"); how.Final || !strings.Contains(how.What, plainHTTP) {
				t.Errorf("%+v", how)
			}
		})
		t.Run(kind+"/refused", func(t *testing.T) {
			r, _ := make(HTTP{URL: "http://user:hunter2@" + nobody(t) + "/T0KEN"})
			if how := fails(t, r, "T0KEN", "hunter2"); how.Final || !strings.Contains(how.What, "connection refused") {
				t.Errorf("%+v", how)
			}
		})
		t.Run(kind+"/echo", func(t *testing.T) { // what it says are our own secrets
			for _, skip := range []int{0, 1, 2} {
				address := serve(t, func(c net.Conn) {
					in := bufio.NewReader(c)
					for range skip {
						in.ReadString('\n')
					}
					if skip == 2 {
						c.Write([]byte("HTTP/1.1 200 OK\r\nA\r\n"))
					}
					io.Copy(c, io.LimitReader(in, 200))
				})
				r, _ := make(HTTP{URL: "http://" + address + "/T0KEN", Timeout: 300 * time.Millisecond, Headers: map[string]string{"Authorization": "Bearer b34rer"}})
				if how := fails(t, r, "T0KEN", "b34rer"); how.Final {
					t.Errorf("%+v", how)
				}
			}
		})
		t.Run(kind+"/certificate", func(t *testing.T) {
			s := newInbox(t, true)
			r, _ := make(HTTP{URL: s.URL + "/T0KEN"})
			if how := fails(t, r, "T0KEN"); how.Final || !strings.Contains(how.What, "certificate") || s.count() > 0 {
				t.Errorf("%+v", how)
			}
			_, trust := certificate(t)
			r, _ = make(HTTP{URL: s.URL + "/T0KEN", TLS: trust, Headers: map[string]string{"X-Key": "k3y"}})
			sends(t, r, one(alerts.Firing))
			if s.count() != 1 || s.heads[0].Get("X-Key") != "k3y" {
				t.Errorf("got %v", s.heads)
			}
			r, _ = make(HTTP{URL: s.URL, TLS: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: trust.RootCAs, ServerName: "other.test"}})
			fails(t, r)
		})
		for _, url := range []string{"", "hunter2", "ftp://hunter2@x/", "http://us er:hunter2@x"} {
			if _, err := make(HTTP{URL: url}); err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %q: %v", kind, url, err)
			}
		}
	}
}

func TestSlack(t *testing.T) {
	s := newInbox(t, false)
	text, err := ParseText("{{.Rule}} of {{.Labels.client_ip}}: {{.Summary}}")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := NewSlack(ChatOptions{HTTP: HTTP{URL: s.URL}, Text: text, Sensor: "tap1"})
	a := sample(1, alerts.Firing)
	a.Severity, a.Summary, a.Runbook = alerts.Critical, "<!channel> & <http://evil|click>", "https://x.test/r"
	sends(t, r, []alerts.Alert{a})
	var m slackMessage
	if err := json.Unmarshal([]byte(s.last()), &m); err != nil {
		t.Fatal(err)
	}
	x := m.Attachments[0]
	if m.Text != "[FIRING] critical: R" || x.Color != "#e01e5a" || x.TitleLink != "https://x.test/r" ||
		x.Text != "R of 192.0.2.1: &lt;!channel&gt; &amp; &lt;http://evil|click&gt;" || len(x.MarkupIn) != 0 {
		t.Errorf("%+v", m)
	}
	if strings.Contains(s.last(), "<!") || strings.Contains(s.last(), `\u003c`) {
		t.Errorf("markup passes: %s", s.last())
	}
	var many []alerts.Alert
	for i := range notify.MaxBatch {
		many = append(many, sample(i, alerts.Resolved))
	}
	sends(t, r, many)
	if err := json.Unmarshal([]byte(s.last()), &m); err != nil || len(m.Attachments) != maxCards+1 || m.Text != "[RESOLVED:50] R" || m.Attachments[0].Color != "#2eb67d" {
		t.Errorf("%v: %d attachments, %s", err, len(m.Attachments), m.Text)
	}
	for i := range many { // each is told
		if !strings.Contains(s.last(), many[i].Summary) {
			t.Errorf("%s is missing", many[i].Summary)
		}
	}
}

func TestTeams(t *testing.T) {
	s := newInbox(t, false)
	s.status = http.StatusAccepted
	r, _ := NewTeams(ChatOptions{HTTP: HTTP{URL: s.URL}})
	a := sample(1, alerts.Firing)
	a.Summary, a.Runbook = "[click](http://evil) **bold**", "https://x.test/r"
	sends(t, r, []alerts.Alert{a})
	var m struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct {
					Type, Style string
					Items       []struct {
						Type    string
						Inlines []struct{ Type, Text, Color string }
						Actions []struct{ Type, URL string }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(s.last()), &m); err != nil {
		t.Fatal(err)
	}
	card := m.Attachments[0].Content.Body[1]
	if m.Type != "message" || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" || card.Style != "warning" ||
		card.Items[1].Type != "RichTextBlock" || card.Items[1].Inlines[0].Text != a.Summary || card.Items[len(card.Items)-1].Actions[0].URL != a.Runbook {
		t.Errorf("%s", s.last())
	}
	if strings.Contains(s.last(), `"TextBlock"`) || strings.Contains(s.last(), "FactSet") {
		t.Error("an element that reads Markdown")
	}
	if r.Answer() != "202 Accepted" {
		t.Errorf("answer %q", r.Answer())
	}
	var many []alerts.Alert
	for i := range notify.MaxBatch {
		x := sample(i, alerts.Firing)
		x.Summary = strings.Repeat("<", 5000)
		many = append(many, x)
	}
	sends(t, r, many)
	if len(s.last()) > 28_000 || !json.Valid([]byte(s.last())) || !strings.Contains(s.last(), "more do not fit here") {
		t.Errorf("%d octets", len(s.last()))
	}
}

func TestWebhookSignature(t *testing.T) {
	s := newInbox(t, false)
	r, _ := NewWebhook(WebhookOptions{URL: s.URL, Secret: "k3y", Clock: still{t0}, Headers: map[string]string{SignatureHeader: "forged", "X-Own": "v"}})
	sends(t, r, one(alerts.Firing))
	h := s.heads[0]
	if h.Get(TimestampHeader) != "1795435200" || h.Get(SignatureHeader) != "sha256="+Sign("k3y", "1795435200", []byte(s.last())) || h.Get("X-Own") != "v" {
		t.Errorf("%v", h)
	}
	// Worked out by: printf '1795435200.{}' | openssl dgst -sha256 -hmac k3y
	if got := Sign("k3y", "1795435200", []byte("{}")); got != "2bf1cbe1b4df78b6b46d8cbffda66e68855d2db24a4baa60015d2224699d6ad4" {
		t.Errorf("signed %s", got)
	}
}

func TestWebhookTemplate(t *testing.T) {
	s := newInbox(t, false)
	body, err := ParseBody(`{"s":{{json .Status}},"n":[{{range $i, $a := .Alerts}}{{if $i}},{{end}}{{json $a.Summary}}{{end}}]}`, "application/json")
	if err != nil {
		t.Fatal(err)
	}
	r, _ := NewWebhook(WebhookOptions{URL: s.URL, Body: body})
	a := sample(1, alerts.Firing)
	a.Summary = `x","admin":"` + "\n"
	sends(t, r, []alerts.Alert{a, sample(2, alerts.Resolved)})
	if want := `{"s":"firing","n":["x\",\"admin\":\"\n","alert 2"]}`; s.last() != want || s.heads[0].Get("Content-Type") != "application/json" {
		t.Errorf("got %s", s.last())
	}
}
