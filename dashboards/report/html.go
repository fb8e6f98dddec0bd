package report

import (
	_ "embed" // page.html
	"html/template"
	"io"
	"time"
)

//go:embed page.html
var pageHTML string

// HTML writes the page as one file that needs nothing else: no script, no
// picture, no font, nothing of the network. Whatever came from mail is escaped
// where it stands.
func (p *Page) HTML(to io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"amount": func(n int) string { return amount(n) },
		"large":  func(n uint64) string { return amount(n) },
		"octets": func(n int64) string { return octets(n) },
		"size":   func(n uint64) string { return octets(n) },
		"short":  short,
		"long":   long,
		"share":  share,
		"shown":  Printable,
		"clock":  func(t time.Time) string { return t.Format(time.TimeOnly) },
		"bar":    func(n, whole int) float64 { return round(100 * float64(n) / float64(max(whole, 1))) },
		"class":  classOf,
		"counts": func(title string, c Counts) countsCard { return countsCard{title, c} },
	}).Parse(pageHTML)
	if err != nil {
		return err
	}
	return t.Execute(to, pageView{p, p.title(), p.span(), p.blind()})
}

// pageView is a page with what is said of it in words.
type pageView struct {
	*Page
	Title, Span string
	Blind       []string
}

// countsCard is a list of counts under its title.
type countsCard struct {
	Title string
	Counts
}

// classOf is the colour of a name: good, to wait, bad, or neither.
func classOf(name string) string {
	switch name {
	case "accepted", "success", "established", "quit", "TLSv1.3", "TLSv1.2":
		return "good"
	case "deferred", "not_used", "warning", "timeout", "evicted", "refused":
		return "wait"
	case "rejected", "failure", "failed", "stripped", "critical", "SSLv3", "SSLv2", "TLSv1.0", "TLSv1.1":
		return "bad"
	}
	return "dim"
}
