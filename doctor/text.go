package doctor

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// colours of the states on a terminal.
var colours = map[State]string{OK: "\x1b[32m", Note: "\x1b[33m", Problem: "\x1b[1;31m"}

const plain = "\x1b[0m"

// Text writes a line for each finding and one that sums up.
func (r *Report) Text(to io.Writer, coloured bool) error {
	w := bufio.NewWriter(to)
	for _, f := range r.Findings {
		state := fmt.Sprintf("%-7s", f.State)
		if coloured {
			state = colours[f.State] + state + plain
		}
		fmt.Fprintf(w, "%s  %-13s  %s\n", state, f.Check, f.line())
	}
	fmt.Fprintf(w, "\n%s, %s, %s\n", count(len(r.Findings), "check"), count(r.Problems, "problem"), count(r.Notes, "note"))
	return w.Flush()
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// line is what was found, what it means, what to do.
func (f Finding) line() string {
	var b strings.Builder
	if f.About != "" {
		b.WriteString(f.About + ": ")
	}
	b.WriteString(f.Found)
	if f.Means != "" {
		b.WriteString("; " + f.Means)
	}
	if f.Do != "" {
		b.WriteString(". Do: " + f.Do)
	}
	return printable(b.String())
}

// printable keeps a line a line: names of interfaces and files may have
// anything in them.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, s)
}

// JSON writes the report as one object, for tools.
func (r *Report) JSON(to io.Writer) error {
	e := json.NewEncoder(to)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}
