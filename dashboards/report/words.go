package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// What both renderers say in the same words.

// Printable keeps a client's octets from driving the reader's terminal.
func Printable(s string) string {
	return strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s)
}

// amount writes a number with its thousands apart.
func amount[T int | int64 | uint64](v T) string {
	s := strconv.FormatInt(int64(v), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// octets writes a size with three digits.
func octets[T int64 | uint64](v T) string {
	f, unit := float64(v), 0
	for f >= 999.5 && unit < 4 {
		f, unit = f/1000, unit+1
	}
	name := [...]string{"octets", "kB", "MB", "GB", "TB"}[unit]
	switch {
	case unit == 0 && v == 1:
		return "1 octet"
	case unit == 0 || f >= 99.95:
		return fmt.Sprintf("%.0f %s", f, name)
	case f >= 9.995:
		return fmt.Sprintf("%.1f %s", f, name)
	}
	return fmt.Sprintf("%.2f %s", f, name)
}

// short writes a duration with two digits and its unit.
func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return long(d)
}

// long writes a duration of a capture.
func long(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	case d < 48*time.Hour:
		s := d.Round(time.Second).String()
		for _, zero := range [...]string{"m0s", "h0m"} {
			if strings.HasSuffix(s, zero) {
				s = s[:len(s)-2]
			}
		}
		return s
	}
	return fmt.Sprintf("%.1f days", d.Hours()/24)
}

// share writes a part of a whole in percent.
func share(part, whole int) string {
	if whole == 0 {
		return "–"
	}
	p := 100 * float64(part) / float64(whole)
	if p > 0 && p < 0.1 {
		return "<0.1 %"
	}
	if p >= 99.95 && part < whole {
		return ">99.9 %"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", p), ".0") + " %"
}

// span says when.
func (p *Page) span() string {
	if p.Packets == 0 {
		return "no packets"
	}
	end := p.To.Format(time.DateTime)
	if p.From.Format(time.DateOnly) == p.To.Format(time.DateOnly) {
		end = p.To.Format(time.TimeOnly)
	}
	return fmt.Sprintf("%s to %s UTC (%s)", p.From.Format(time.DateTime), end, long(p.To.Sub(p.From)))
}

// title names what was read.
func (p *Page) title() string {
	const most = 3
	if len(p.Files) == 0 {
		return "no capture"
	}
	names := p.Files[:min(len(p.Files), most)]
	title := strings.Join(names, ", ")
	if more := len(p.Files) - len(names); more > 0 {
		title += fmt.Sprintf(" and %d more", more)
	}
	return title
}

// server is how a row of the servers is called.
func (s *Server) title() string {
	switch {
	case s.Address == "":
		return "all others"
	case s.Name != "":
		return s.Name + " " + s.Address
	}
	return s.Address
}

// what says of a refusal what was refused.
func (r *Refusal) what() string {
	switch r.Verb {
	case "":
		return "no command"
	case ".":
		return "content"
	}
	return r.Verb
}

// blind says what could not be seen beside packets, in a few words each.
func (p *Page) blind() (out []string) {
	add := func(n int, one string, more string) {
		if n > 0 {
			out = append(out, strings.Replace(plural(n, one), strconv.Itoa(n), amount(n), 1)+more)
		}
	}
	add(p.Opaque, "session", " inside TLS without a key log")
	add(p.Partial, "partial session", "")
	if n := p.Lost.Client + p.Lost.Server; n > 0 {
		out = append(out, octets(n)+" lost by the capture")
	}
	add(p.Evicted, "session", " given up to stay within memory")
	if p.Retransmitted > 0 {
		out = append(out, octets(p.Retransmitted)+" sent again")
	}
	return out
}
