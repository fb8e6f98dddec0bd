package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/dashboards/report"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/ladder"
)

func (p *program) showCommand() *cobra.Command {
	var id, format string
	c := &cobra.Command{
		Use:   "show FILE...",
		Short: "Show one conversation of a capture as a ladder of commands and replies",
		Long: `show prints one session of a capture step by step: seconds since its start, → for
the client and ← for the server, what was said, and what was learned of TLS,
logins, mails and oddities. Secrets are not in it. Without --session it lists the
sessions, in the order in which they ended. Files are read as by mailtap read.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error { return p.show(c, files, id, format) },
	}
	c.Flags().StringVar(&id, "session", "", "`id` of the session, as records and alerts name it")
	c.Flags().StringVar(&format, "format", "text", "`form` of the output: text or json")
	return c
}

func (p *program) show(c *cobra.Command, files []string, id, format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("flag --format: %q is no form of the output, allowed is text, json", format)
	}
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	cfg.Capture.AllPorts = true // what is in a file is there to be read
	tuneCollector(cfg.heap())
	secrets, err := cfg.secrets()
	if err != nil {
		return failed(err)
	}
	engine, err := alerts.NewEngine(alerts.RuleSet{}, cfg.ruleOptions())
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	shown := &show{to: p.stdout, json: format == "json", colours: inColour(p.stdout)}
	if c.Flags().Changed("session") {
		shown.only = &wanted{id: id}
	}
	out := &outputs{engine: engine, log: newLogger(cfg.Log, p.stderr), follower: shown}
	mask, err := cfg.showMask()
	if err != nil {
		return err
	}
	if mask != nil {
		out.follower = masked{shown, mask}
	}
	if err := p.confineReading(&cfg, out.log, files); err != nil {
		return err
	}
	r := &reading{program: p, ctx: ctx, outputs: out, reports: &reports{gathered: new(report.Report)}}
	r.pipeline = newPipeline(&cfg, out, secrets, cfg.Shards.number())
	r.pipeline.sievedFirst(&cfg)
	if err := r.run(files); err != nil {
		return failed(err)
	}
	return failed(shown.end())
}

// inColour says whether people read an output as it comes; NO_COLOR says that
// they want it plain (https://no-color.org).
func inColour(w io.Writer) bool { return os.Getenv("NO_COLOR") == "" && isTerminal(w) }

// show prints one session, or the list of all.
type show struct {
	to      io.Writer
	json    bool
	colours bool
	only    *wanted // nil: the list
	listed  int
	err     error // of the output
}

// wanted is the one session to be shown.
type wanted struct {
	id     string
	ladder ladder.Ladder
	near   []string // other ids, those that begin alike first
}

// Wants implements follower.
func (s *show) Wants(e sessions.Event) bool { return s.only != nil && e.Of().ID == s.only.id }

// Handle implements follower.
func (s *show) Handle(e sessions.Event) {
	closed, ends := e.(*sessions.Closed)
	switch {
	case s.only == nil && ends:
		s.list(closed)
	case s.only == nil:
	case e.Of().ID == s.only.id:
		s.only.ladder.Handle(e)
	case ends:
		s.only.passes(e.Of().ID)
	}
}

// maxNear bounds the ids that are offered where the one asked for is not there.
const maxNear = 3

// passes keeps the ids that are most like the one that is wanted.
func (w *wanted) passes(id string) {
	if unlike(id, w.id) >= (len(w.id)+1)/2 {
		return
	}
	w.near = append(w.near, id)
	slices.SortStableFunc(w.near, func(a, b string) int { return cmp.Compare(unlike(a, w.id), unlike(b, w.id)) })
	w.near = w.near[:min(len(w.near), maxNear)]
}

// unlike counts the letters in which an id differs from the wanted one. One that
// was cut off matches as far as it goes.
func unlike(id, want string) int {
	n := max(len(want)-len(id), 0)
	for i := range min(len(id), len(want)) {
		if id[i] != want[i] {
			n++
		}
	}
	return n
}

func (s *show) end() error {
	if s.err != nil || s.only == nil {
		return s.err
	}
	if s.only.ladder.Conn() == nil {
		hint := "mailtap show FILE lists them"
		if len(s.only.near) > 0 {
			hint = "did you mean " + strings.Join(s.only.near, ", ") + "?"
		}
		return fmt.Errorf("no session %q is there, %s", s.only.id, hint)
	}
	view := s.only.ladder.View()
	if s.json {
		e := json.NewEncoder(s.to)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(view)
	}
	_, err := s.to.Write(view.Text(s.colours))
	return err
}

// summary is a line of the list.
type summary struct {
	Session  string         `json:"session"`
	Time     time.Time      `json:"time"`
	Client   string         `json:"client"`
	Server   string         `json:"server"`
	Role     string         `json:"role"`
	End      string         `json:"end"`
	Duration ladder.Seconds `json:"duration"`
	Mails    int            `json:"mails"`
}

func (s *show) list(e *sessions.Closed) {
	c := e.Conn
	line := summary{c.ID, c.Start.UTC(), c.Client.String(), c.Server.String(), c.Role, e.Session.End, ladder.Seconds(e.Session.Duration), len(e.Session.Mails)}
	var err error
	if s.json {
		err = json.NewEncoder(s.to).Encode(line)
	} else {
		if s.listed == 0 {
			fmt.Fprintf(s.to, "%-24s  %-23s  %-47s  %-11s  %-10s  %s\n", "SESSION", "TIME (UTC)", "CLIENT → SERVER", "ROLE", "END", "MAILS")
		}
		_, err = fmt.Fprintf(s.to, "%-24s  %-23s  %-47s  %-11s  %-10s  %d\n",
			line.Session, line.Time.Format("2006-01-02 15:04:05.000"), line.Client+" → "+line.Server, line.Role, line.End, line.Mails)
	}
	s.listed++
	if s.err == nil {
		s.err = err
	}
}
