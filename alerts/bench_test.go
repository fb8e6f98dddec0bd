package alerts

import (
	"fmt"
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

// BenchmarkRule measures each rule alone on an event of its kind that matches
// nothing, and on the ones that its condition is about.
func BenchmarkRule(b *testing.B) {
	c := conn("10.20.0.10", "10.20.0.25:25")
	none := sessions.Session{Helo: sessions.Helo{Verb: "EHLO"}, Extensions: []string{"SIZE"}, TLS: sessions.TLS{Mode: "none"}}
	plain := map[string]sessions.Event{
		"attempt": attempt(c, 0, "established"),
		"session": closed(c, 0, none),
		"command": command(c, 0, "RCPT", 250),
		"auth":    accepted(c, 0, "alice"),
		"mail":    mail(c, 0, sessions.Mail{From: "a@evil.test", To: []string{"b@corp.test"}, Header: &sessions.Header{MessageID: "<1@x>"}}),
		"tls":     &sessions.Secured{In: in(c, 0), TLS: sessions.TLS{Outcome: "established"}},
		"anomaly": odd(c, 0, sessions.BareLF),
		"capture": &captured{Capture{Time: at(0), Source: "eth1", Packets: 5000}},
	}
	for _, r := range Builtin().Rules {
		for _, k := range r.Events() {
			b.Run(r.Name+"/"+k, func(b *testing.B) { run(b, RuleSet{Rules: []Rule{r}}, plain[k]) })
		}
	}
	b.Run("all/command", func(b *testing.B) { run(b, Builtin(), plain["command"]) })
	b.Run("all/denied", func(b *testing.B) { run(b, Builtin(), denied(c, 0, "alice")) })
	b.Run("all/unread", func(b *testing.B) { run(b, Builtin(), &sessions.Opened{In: in(c, 0)}) })
}

func run(b *testing.B, set RuleSet, ev sessions.Event) {
	e, err := NewEngine(set, site)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		e.Handle(ev)
	}
}

func BenchmarkManyClients(b *testing.B) {
	e, err := NewEngine(Builtin(), site)
	if err != nil {
		b.Fatal(err)
	}
	var evs []sessions.Event
	for i := range 100_000 {
		evs = append(evs, denied(conn(fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255), "10.20.0.25:25"), 0, "alice"))
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.Handle(evs[i%len(evs)])
		i++
	}
}
