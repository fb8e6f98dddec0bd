package ladder

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Seconds is a duration that JSON and text show as seconds, with milliseconds at
// least and microseconds at most.
type Seconds time.Duration

// IsZero says for JSON that a duration is unknown: a negative one is left out.
func (s Seconds) IsZero() bool { return s < 0 }

// String gives 0.010, or 0.000123 where milliseconds would say nothing.
func (s Seconds) String() string {
	d := time.Duration(s)
	if d%time.Millisecond != 0 && d < 10*time.Millisecond {
		return strconv.FormatFloat(d.Seconds(), 'f', 6, 64)
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 3, 64)
}

// MarshalJSON implements json.Marshaler.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, time.Duration(s).Round(time.Microsecond).Seconds(), 'f', -1, 64), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Seconds) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseFloat(string(b), 64)
	*s = Seconds(v * float64(time.Second))
	return err
}

// Clean cuts a text to a number of octets and replaces what does not print: what
// drives a terminal, and what turns the direction of writing (Trojan Source,
// CVE-2021-42574).
func Clean(s string, limit int) string {
	if len(s) > limit {
		cut := limit
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + "…"
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' {
			return strings.Map(visible, s)
		}
	}
	return s
}

func visible(c rune) rune {
	if !unicode.IsPrint(c) {
		return utf8.RuneError
	}
	return c
}

// Line is a step as it is read: the command, the reply, or what mailtap says.
func (s *Step) Line() string {
	switch s.Kind {
	case Command:
		return s.command()
	case Reply, Greeting:
		if s.Code == 0 {
			return "(no reply was seen)"
		}
		if s.Text == "" {
			return strings.TrimSpace(strconv.Itoa(s.Code) + " " + s.Enhanced)
		}
		return strconv.Itoa(s.Code) + " " + s.Text
	case Anomaly:
		return s.Result + ": " + s.Text
	}
	return s.Text
}

func (s *Step) command() string {
	switch {
	case s.Text != "":
		return s.Text
	case s.Verb == ".":
		return "(content) ."
	case s.Verb == "OTHER":
		return "(a command that no standard names)"
	case s.Verb == "MAIL":
		return "MAIL FROM:<" + s.Argument + ">"
	case s.Verb == "RCPT":
		return "RCPT TO:<" + s.Argument + ">"
	case s.Verb == "AUTH" && s.Argument != "":
		return "AUTH " + s.Argument + " (its secret is not kept)"
	case s.Argument != "":
		return s.Verb + " " + s.Argument
	}
	return s.Verb
}

// colours of a terminal.
const (
	plain  = "\x1b[0m"
	faint  = "\x1b[2m"
	cyan   = "\x1b[36m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
)

// colour of a step: what went wrong stands out.
func (s *Step) colour() string {
	switch {
	case s.Kind == Command:
		return cyan
	case s.Kind == Anomaly, s.Exposed && s.Result != "failure", s.Code >= 400 && s.Code < 500, s.Result == "deferred":
		return yellow
	case s.Code >= 500, s.Result == "rejected", s.Result == "failure", s.Result == "failed":
		return red
	case s.Kind == Reply, s.Kind == Greeting:
		return green
	}
	return faint
}

// Text is the ladder for people: seconds since the connection's start, → for the
// client and ← for the server, and what was said. Delays of replies stand in
// brackets behind them. Colours are for a terminal.
func (v *View) Text(colours bool) []byte {
	var b bytes.Buffer
	v.title(&b)
	width := len(v.lastAt())
	for i := range v.Steps {
		s := &v.Steps[i]
		arrow := "·"
		switch s.Kind {
		case Command:
			arrow = "→"
		case Reply, Greeting:
			arrow = "←"
		}
		on, off := "", ""
		if colours {
			on, off = s.colour(), plain
		}
		line := s.Line()
		if s.Delay >= 0 {
			line += " [" + s.Delay.String() + " s]"
		}
		fmt.Fprintf(&b, "  +%*s  %s%s  %s%s\n", width, s.At, on, arrow, line, off)
		for _, m := range s.More {
			fmt.Fprintf(&b, "   %*s     %s%s%s\n", width, "", on, m, off)
		}
	}
	if v.LeftOut > 0 {
		fmt.Fprintf(&b, "  %d more steps are left out\n", v.LeftOut)
	}
	return b.Bytes()
}

func (v *View) title(b *bytes.Buffer) {
	server := v.Server
	if v.ServerName != "" {
		server += " (" + v.ServerName + ")"
	}
	fmt.Fprintf(b, "session   %s\n", v.Session)
	fmt.Fprintf(b, "between   %s → %s\n", v.Client, server)
	fmt.Fprintf(b, "role      %s, %s\n", v.Role, v.Direction)
	fmt.Fprintf(b, "time      %s UTC", v.Time.Format("2006-01-02 15:04:05.000"))
	if v.End != "" {
		fmt.Fprintf(b, ", %s s, %s", v.Duration, v.End)
	}
	b.WriteString("\n\n")
}

func (v *View) lastAt() string {
	longest := "0.000"
	for i := range v.Steps {
		if at := v.Steps[i].At.String(); len(at) > len(longest) {
			longest = at
		}
	}
	return longest
}
