package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/ruletest"
	"github.com/mailtap/mailtap/capture/packet"
)

func (p *program) rulesTestCommand() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "test FILE...",
		Short: "Run unit tests of rules: traffic, and the alerts that must come of it",
		Long: `test plays the captures and written conversations of test files, and holds the
alerts that come against those expected. A test file looks like this:

  rule_files: [my-rules.yaml]     # beside the built-in rules
  home: {domains: [example.org]}
  tests:
    - name: nobody logs in that often
      conversations:
        - {repeat: 5, every: 10s, client: 192.0.2.1, dialog: "S: 220 hi\nC: ..."}
      alerts:
        - {rule: AuthBruteForce, severity: warning, at: 40s, key: "192.0.2.1"}

docs/rules-testing.md tells the whole form. The rules and settings of the
configuration count too, where one is given. The exit status is 1 where a test
failed, 2 where a file is no test file.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, files []string) error { return p.testRules(c, files, verbose) },
	}
	c.Flags().BoolVarP(&verbose, "verbose", "v", false, "tell the alerts of tests that passed, too")
	return c
}

func (p *program) testRules(c *cobra.Command, files []string, verbose bool) error {
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	var errs []error
	ran, wrong := 0, 0
	for _, file := range files {
		s, err := readSuite(&cfg, file)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.program = p
		for i := range s.suite.Tests {
			ran++
			if !s.tell(p.stdout, &s.suite.Tests[i], verbose) {
				wrong++
			}
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if wrong > 0 {
		return failed(fmt.Errorf("%d of %s failed", wrong, counted(ran, "test")))
	}
	return nil
}

// ruleTests are the tests of a file with the rules and settings they run with.
type ruleTests struct {
	program *program
	file    string
	suite   ruletest.Suite
	cfg     Config
	rules   alerts.RuleSet
}

func readSuite(cfg *Config, file string) (*ruleTests, error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	s := &ruleTests{file: file, cfg: *cfg}
	if s.suite, err = ruletest.Load(in, file); err != nil {
		return nil, err
	}
	s.cfg.Capture.AllPorts = true
	s.cfg.Log.Records.File, s.cfg.Loki.URL, s.cfg.Alerts.Receivers = "", "", nil // a test tells nobody
	if s.suite.HasHome {
		s.cfg.Home = HomeConfig{}
		for _, n := range s.suite.Networks {
			s.cfg.Home.Networks = append(s.cfg.Home.Networks, Prefix(n))
		}
		for _, d := range s.suite.Domains {
			s.cfg.Home.Domains = append(s.cfg.Home.Domains, Domain(d))
		}
	}
	set, bad := loadRules(&cfg.Alerts.Rules)
	if bad != nil {
		return nil, configError{*bad}
	}
	for _, f := range s.suite.RuleFiles {
		more, err := readRules(f)
		if err == nil {
			set, err = set.Merge(more)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: rule_files: %w", file, err)
		}
	}
	s.rules = set
	return s, s.known()
}

// known refuses a test of a rule that is not there: it would never fail.
func (s *ruleTests) known() error {
	names := map[string]bool{}
	for i := range s.rules.Rules {
		names[s.rules.Rules[i].Name] = true
	}
	for i := range s.suite.Tests {
		t := &s.suite.Tests[i]
		for _, rule := range append(t.Expects(), t.Only...) {
			if !names[rule] {
				return fmt.Errorf("%s:%d: test %s: there is no rule %s", s.file, t.Line, alerts.Clip(t.Name), alerts.Clip(rule))
			}
		}
	}
	return nil
}

// tell runs a test and prints how it went.
func (s *ruleTests) tell(out io.Writer, t *ruletest.Test, verbose bool) bool {
	got, err := s.play(t)
	var lines []string
	if err != nil {
		lines = []string{err.Error()}
	} else if lines = t.Compare(got.alerts, got.first); len(lines) > 0 {
		lines = append(lines, got.off(t)...)
	}
	if len(lines) == 0 {
		fmt.Fprintf(out, "%s:%d: %s: ok\n", s.file, t.Line, alerts.Clip(t.Name))
		if verbose {
			for i := range got.alerts {
				fmt.Fprintf(out, "    %s\n", ruletest.Show(&got.alerts[i], got.first))
			}
		}
		return true
	}
	fmt.Fprintf(out, "%s:%d: %s: FAILED\n", s.file, t.Line, alerts.Clip(t.Name))
	for _, line := range lines {
		fmt.Fprintf(out, "    %s\n", line)
	}
	return false
}

// outcome is what came of a test's traffic.
type outcome struct {
	alerts []alerts.Alert
	first  time.Time // of the packets
	blind  []alerts.Off
}

// off names the expected rules that could not judge.
func (g *outcome) off(t *ruletest.Test) (out []string) {
	for _, o := range g.blind {
		if slices.Contains(t.Expects(), o.Rule) {
			out = append(out, "note: rule "+o.Rule+" is off: "+o.Reason())
		}
	}
	return out
}

// play takes a test's traffic the way that `mailtap read` takes a capture. Open
// connections end with it; alerts that still fire are left as they are.
func (s *ruleTests) play(t *ruletest.Test) (outcome, error) {
	var got outcome
	w := wiring{cfg: &s.cfg, log: slog.New(slog.DiscardHandler), lines: io.Discard, offline: true}
	o := &outputs{log: w.log, screen: func(a alerts.Alert) {
		if len(got.alerts) <= ruletest.MaxAlerts {
			got.alerts = append(got.alerts, a)
		}
	}}
	if err := w.addEngine(o, s.rules); err != nil {
		return got, err
	}
	got.blind = o.engine.Off()
	p := newPipeline(&s.cfg, o, nil, 1)
	p.sievedFirst(&s.cfg)
	var last time.Time
	var err error
	if t.Capture != "" {
		got.first, last, err = s.playCapture(p, t.Capture)
	} else {
		got.first, last, err = p.playSegments(t)
	}
	if err != nil {
		return got, err
	}
	p.close()
	if until := got.first.Add(t.Until); until.After(last) {
		last = until
	}
	o.engine.Advance(last)
	return got, nil
}

func (s *ruleTests) playCapture(p *pipeline, file string) (first, last time.Time, err error) {
	r := &reading{program: s.program, ctx: context.Background(), pipeline: p, outputs: p.outputs, files: []string{file}}
	r.carry()
	if err := errors.Join(r.unread...); err != nil {
		return first, last, err
	}
	if r.span.packets == 0 {
		return first, last, fmt.Errorf("%s holds no packet", file)
	}
	return time.Unix(0, r.span.first).UTC(), time.Unix(0, r.span.last).UTC(), nil
}

// playSegments brings what was written down to where the intake brings what it
// decoded.
func (p *pipeline) playSegments(t *ruletest.Test) (first, last time.Time, err error) {
	list, err := t.Segments()
	if err != nil {
		return first, last, err
	}
	l := newLoad(1, nil)
	for len(list) > 0 {
		n := min(len(list), batchPackets)
		l.reset()
		p.intake.fillSegments(l, list[:n])
		p.ticket(l)
		p.carry(l)
		if first.IsZero() {
			first = time.Unix(0, list[0].Time).UTC()
		}
		last, list = time.Unix(0, list[n-1].Time).UTC(), list[n:]
	}
	return first, last, nil
}

func (in *intake) fillSegments(l *load, list []packet.Segment) {
	l.begin(stretch{first: in.number + 1})
	for i := range list {
		s := list[i]
		in.number++
		if s.Time >= in.due {
			l.end()
			l.begin(in.advance(s.Time))
		}
		s.Number, s.Clock = in.number, in.clock.At(s.Time)
		l.lists[0] = append(l.lists[0], s)
	}
	l.end()
}
