package ladder

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mailtap/mailtap/sessions"
)

// This file says in words what events tell beside commands and replies.

// maxListed bounds the names of one list in a step.
const maxListed = 5

func (l *Ladder) secured(e *sessions.Secured) {
	t := &e.TLS
	if t.Mode == sessions.TLSNone && t.Outcome == sessions.TLSNotOffered {
		return // nothing about TLS was said: nothing is missing from the dialog
	}
	s := Step{At: l.since(e.Time), Kind: TLS, Result: t.Outcome, Text: tlsText(t)}
	add := func(name, value string) {
		if value != "" {
			s.More = append(s.More, name+" "+value)
		}
	}
	add("server name asked for:", t.SNI)
	add("application protocol:", t.ALPN)
	if t.Resumed {
		s.More = append(s.More, "resumed: no certificate is shown again")
	}
	if t.Decrypted {
		s.More = append(s.More, "read with a key log")
	}
	if t.AlertName != "" {
		s.More = append(s.More, "alert of the "+t.AlertFrom+": "+t.AlertName)
	}
	s.More = append(s.More, certificateLines("certificate", t.Certificate)...)
	s.More = append(s.More, certificateLines("client's certificate", t.ClientCertificate)...)
	if t.Handshake > 0 {
		s.More = append(s.More, "handshake in "+Seconds(t.Handshake).String()+" s")
	}
	l.add(s)
}

func tlsText(t *sessions.TLS) string {
	switch t.Outcome {
	case sessions.TLSEstablished:
		return strings.TrimSpace("TLS: " + t.Version + " " + t.Cipher)
	case sessions.TLSRefused:
		return "TLS: offered, asked for and refused"
	case sessions.TLSFailed:
		return "TLS: the handshake failed"
	case sessions.TLSStripped:
		return "TLS: the offer was masked on the way"
	case sessions.TLSNotUsed:
		return "TLS: offered, never asked for"
	}
	return "TLS: too little was seen to tell"
}

func certificateLines(what string, c *sessions.Certificate) []string {
	if c == nil {
		return nil
	}
	lines := []string{fmt.Sprintf("%s: %s, of %s, until %s", what, c.Subject, c.Issuer, c.NotAfter.UTC().Format("2006-01-02"))}
	if len(c.Problems) > 0 {
		lines = append(lines, what+" is wrong: "+listed(c.Problems))
	}
	return lines
}

// login tells a finished AUTH exchange, and of its command which mechanism it was.
func (l *Ladder) login(e *sessions.Authenticated) {
	a := &e.Auth
	if l.auth > 0 {
		l.steps[l.auth].Argument = Clean(a.Mechanism, 64)
		l.auth = 0
	}
	s := Step{At: l.since(e.Time), Kind: Login, Result: a.Result, Exposed: a.SecretExposed, Text: "Login"}
	if a.Username != "" {
		s.Text += " of " + a.Username
	}
	s.Text += " by " + a.Mechanism + ": " + a.Result
	if a.Authzid != "" && a.Authzid != a.Username {
		s.More = append(s.More, "acts as "+a.Authzid)
	}
	if a.SecretExposed {
		s.More = append(s.More, "a reusable secret crossed the wire in clear")
	}
	l.add(s)
}

func (l *Ladder) mail(e *sessions.MailDone) {
	m := e.Mail
	s := Step{At: l.since(e.Time), Kind: Mail, Result: m.Result, Text: "Mail " + m.Result, More: make([]string, 0, 6)}
	from := "<" + m.From + ">"
	if !m.FromKnown {
		from = "an unknown sender"
	}
	s.More = append(s.More, "from "+from)
	if len(m.To) > 0 {
		s.More = append(s.More, "to "+listed(m.To))
	}
	if len(m.Rejected) > 0 {
		s.More = append(s.More, "refused: "+listed(rejections(m.Rejected)))
	}
	if h := m.Header; h != nil && h.Subject != "" {
		s.More = append(s.More, "subject: "+h.Subject)
	}
	if m.Size >= 0 {
		s.More = append(s.More, strconv.FormatInt(m.Size, 10)+" octets in "+Seconds(m.Duration).String()+" s")
	}
	if m.QueueID != "" {
		s.More = append(s.More, "queue id "+m.QueueID)
	}
	if len(m.Attachments) > 0 {
		s.More = append(s.More, "attachments: "+listed(attachments(m.Attachments)))
	}
	if m.Smuggled {
		s.More = append(s.More, "smuggled: it began behind a look-alike of an end of data")
	}
	l.add(s)
}

func rejections(list []sessions.Rejection) []string {
	var out []string
	for _, r := range list[:min(len(list), maxListed+1)] {
		out = append(out, r.To+" ("+strconv.Itoa(r.Code)+")")
	}
	return grown(out, len(list))
}

func attachments(list []sessions.Attachment) []string {
	var out []string
	for _, a := range list[:min(len(list), maxListed+1)] {
		name := a.Filename
		if name == "" {
			name = a.ContentType
		}
		if len(a.Danger) > 0 {
			name += " (dangerous)"
		}
		out = append(out, name)
	}
	return grown(out, len(list))
}

// grown is a list as long as the one that it was made from: listed tells how
// many there are.
func grown(list []string, n int) []string { return append(list, make([]string, n-len(list))...) }

// listed names a few of a list, and how many there are beside them.
func listed(list []string) string {
	if len(list) <= maxListed {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:maxListed], ", "), len(list)-maxListed)
}

func anomalyText(e *sessions.Anomaly) string {
	text := e.Kind
	i := slices.IndexFunc(sessions.AnomalyTable[:], func(k sessions.AnomalyKind) bool { return k.Name == e.Kind })
	if i >= 0 {
		text = sessions.AnomalyTable[i].Meaning
	}
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// ends says in words how a session ended.
var ends = map[string]string{
	sessions.EndQuit: "The client took its leave", sessions.EndClosed: "The connection is closed without QUIT",
	sessions.EndReset: "The connection is reset", sessions.EndRefused: "The connection was refused",
	sessions.EndUnanswered: "The connection was never answered", sessions.EndTimeout: "Nothing was said for too long",
	sessions.EndEvicted: "Left out to stay within memory", sessions.EndRunning: "The capture ends here",
}

func (l *Ladder) closed(e *sessions.Closed) {
	l.ended, l.end, l.duration, l.partial = true, e.Session.End, Seconds(e.Session.Duration), e.Session.Partial
	s := Step{At: Seconds(e.Session.Duration), Kind: End, Result: e.Session.End, Text: ends[e.Session.End]}
	if lost := e.Session.Lost; lost.Client+lost.Server > 0 {
		s.More = append(s.More, fmt.Sprintf("lost on the way to the tap: %d octets of the client, %d of the server", lost.Client, lost.Server))
	}
	l.add(s)
}

func originText(o *sessions.Origin) string {
	if o.Client.Port() == 0 {
		return o.Client.Addr().String() + " (" + o.Via + ")"
	}
	return o.Client.String() + " (" + o.Via + ")"
}
