package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// Columns is how wide a line of Text is at most.
const Columns = 100

// label is how wide the names at the left are.
const label = 18

// How much of each list Text shows, so that a page has about sixty lines.
const (
	textKinds     = 6
	textServers   = 5
	textRefusals  = 6
	textRules     = 5
	textAnomalies = 6
)

// Text writes the page for a terminal.
func (p *Page) Text(to io.Writer) error {
	t := &textPage{Page: p}
	t.head()
	t.mails()
	t.slow()
	t.refused()
	t.security()
	t.fired()
	t.odd()
	t.unseen()
	_, err := to.Write(t.out.Bytes())
	return err
}

type textPage struct {
	*Page
	out bytes.Buffer
}

// line writes one line, cut to its width.
func (t *textPage) line(format string, args ...any) {
	s := strings.TrimRight(fmt.Sprintf(format, args...), " ")
	t.out.WriteString(cut(Printable(s), Columns))
	t.out.WriteByte('\n')
}

// row writes a name and what there is to say of it.
func (t *textPage) row(name, format string, args ...any) {
	t.line("%-*s%s", label, name, fmt.Sprintf(format, args...))
}

// more says how many rows of a list are not shown.
func (t *textPage) more(n int, what string) {
	if n > 0 {
		t.line("  and %s more %s", amount(n), what)
	}
}

func (t *textPage) section(name string) {
	t.out.WriteByte('\n')
	t.line("%s", name)
}

func cut(s string, columns int) string {
	if utf8.RuneCountInString(s) <= columns {
		return s
	}
	n := 0
	for i := range s {
		if n == columns-1 {
			return s[:i] + "…"
		}
		n++
	}
	return s
}

// String gives "3: 2 accepted, 1 refused".
func (c Counts) String() string {
	if c.Total == 0 {
		return "none"
	}
	return amount(c.Total) + ": " + c.list()
}

func (c Counts) list() string {
	var parts []string
	for _, r := range c.Rows {
		parts = append(parts, amount(r.N)+" "+r.Name)
	}
	if c.Other > 0 {
		parts = append(parts, amount(c.Other)+" others")
	}
	return strings.Join(parts, ", ")
}

func (t *textPage) head() {
	t.row("capture", "%s", t.title())
	if t.Packets == 0 {
		t.row("", "no packets")
		return
	}
	t.row("", "%s, %s, %s", t.span(), strings.Replace(plural(int(t.Packets), "packet"), fmt.Sprint(t.Packets), amount(t.Packets), 1), octets(t.Octets))
	t.row("sessions", "%v", t.Sessions)
	if t.Ends.Total > 0 {
		t.row("  ended by", "%s", t.Ends.list())
	}
}

func (t *textPage) mails() {
	t.row("mails", "%v", t.Mails)
	if len(t.Kinds) > 1 {
		for _, k := range t.Kinds[:min(len(t.Kinds), textKinds)] {
			t.row("  "+k.Role, "%-9s %v", k.Direction, k.Results)
		}
	}
	if t.Mails.Total > 0 {
		t.row("recipients", "%s accepted, %s refused; %s of content, %s of the mails inside TLS",
			amount(t.Recipients.Accepted), amount(t.Recipients.Refused), octets(t.MailOctets), share(t.MailsInTLS, t.Mails.Total))
	}
	if len(t.Slots) > 3 {
		most := 0
		for i := range t.Slots {
			most = max(most, t.Slots[i].Mails())
		}
		if bars := t.bars(most); most > 0 {
			t.row("mails in time", "%s", bars)
			t.row("", "from %s, %s for each bar, %s at most", t.Start.Format(time.TimeOnly), long(t.Width), amount(most))
		}
	}
}

// bars draws the mails of each slot; two slots share a bar where they are many.
func (t *textPage) bars(most int) string {
	var b strings.Builder
	for i := range t.Slots {
		if len(t.Slots) > Columns-label && i >= Columns-label {
			break
		}
		n := t.Slots[i].Mails()
		switch {
		case n == 0:
			b.WriteRune(' ')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[(n*8-1)/most])
		}
	}
	return b.String()
}

func (t *textPage) slow() {
	if len(t.Servers) == 0 {
		return
	}
	const columns = "  %-46s %10s %10s %10s %12s"
	t.out.WriteByte('\n')
	t.line(columns[2:], "slowest servers", "  median", "95 of 100", "worst", "replies")
	shown := t.Servers[:min(len(t.Servers), textServers)]
	for i := range shown {
		s := &shown[i]
		t.line(columns, cut(s.title(), 46), short(s.Median), short(s.Slow), short(s.Worst), amount(s.Replies))
	}
	t.more(t.MoreServers+len(t.Servers)-len(shown), "servers")
}

func (t *textPage) refused() {
	r := &t.Refusals
	if r.Total == 0 {
		return
	}
	t.section("refusals " + amount(r.Total))
	shown := r.Rows[:min(len(r.Rows), textRefusals)]
	for i := range shown {
		v := &shown[i]
		t.line("  %7s  %-10s %3d %-7s %-26s %s", amount(v.N), v.what(), v.Code, v.Enhanced, v.Meaning, quoted(v.Text))
	}
	t.more(r.More+len(r.Rows)-len(shown), "kinds")
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "“" + s + "”"
}

// behind is a text with something before it, or nothing.
func behind(before, s string) string {
	if s == "" {
		return ""
	}
	return before + s
}

func (t *textPage) security() {
	t.out.WriteByte('\n')
	t.row("logins", "%v", t.Logins)
	if t.Logins.Total > 0 {
		t.row("", "%s; %s; %s", t.Mechanisms.list(), plural(t.Users, "user name"), plural(t.WrongCredentials, "refusal")+" for wrong credentials")
	}
	t.row("secrets in clear", "%v", t.Exposed)
	t.row("TLS", "%v", t.TLS)
	if t.Versions.Total > 0 {
		t.row("  versions", "%s", t.Versions.list())
	}
	if t.Certificates.Total > 0 {
		t.row("  certificates", "%s", t.Certificates.list())
	}
	if f := &t.Attachments; f.N > 0 {
		t.row("attachments", "%s, %s dangerous%s", amount(f.N), amount(f.Dangerous), behind(": ", f.Dangers.list()))
	}
}

func (t *textPage) fired() {
	if t.AlertTotal == 0 {
		t.row("alerts", "none")
		return
	}
	t.section("alerts " + amount(t.AlertTotal))
	shown := t.Rules[:min(len(t.Rules), textRules)]
	for i := range shown {
		r := &shown[i]
		when := "at " + r.First.Format(time.TimeOnly)
		if last := r.Last.Format(time.TimeOnly); "at "+last != when {
			when = "from " + r.First.Format(time.TimeOnly) + " to " + last
		}
		t.line("  %7s  %-8s  %s, %s", amount(r.N), r.Severity, r.Name, when)
		t.line("           %s", r.Summary)
	}
	if rest := t.Rules[len(shown):]; len(rest) > 0 {
		var names []string
		for i := range rest {
			names = append(names, amount(rest[i].N)+" "+rest[i].Name)
		}
		t.line("  and %s", strings.Join(names, ", "))
	}
}

func (t *textPage) odd() {
	if len(t.Anomalies) == 0 {
		return
	}
	t.section("anomalies")
	shown := t.Anomalies[:min(len(t.Anomalies), textAnomalies)]
	for _, a := range shown {
		t.line("  %7s  %-22s %s", amount(a.N), a.Name, a.Meaning)
	}
	t.more(t.MoreKinds+len(t.Anomalies)-len(shown), "kinds")
}

func (t *textPage) unseen() {
	t.out.WriteByte('\n')
	words := strings.Join(t.blind(), "; ")
	if words == "" {
		words = "nothing"
	}
	t.row("not seen", "%s", words)
	t.row("packets left out", "%v", t.Gone)
	for _, text := range t.Unread {
		t.row("not read", "%s", text)
	}
}
