package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/alerts/receivers"
)

// testTime bounds the test of one receiver, whatever its own timeout is.
const testTime = time.Minute

func (p *program) alertsCommand() *cobra.Command {
	c := &cobra.Command{Use: "alerts", Short: "Try the receivers of alerts", Args: cobra.NoArgs}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(&cobra.Command{
		Use:   "test",
		Short: "Send one test alert to every receiver and print what came back",
		Long: `test sends an alert of the rule TestAlert to every receiver of the configuration,
firing and then resolved, whatever alerts the receiver is set to get. It prints a
line for each, and exits with 1 where one did not take it. Nothing is watched.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.testAlerts(c) },
	})
	return c
}

func (p *program) testAlerts(c *cobra.Command) error {
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	screen := &sharedWriter{to: p.stderr}
	w := wiring{cfg: &cfg, log: newLogger(cfg.Log, screen), lines: screen}
	list, err := w.subscriptions()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("alerts.receivers: there is none")
	}
	results := make([]testResult, len(list))
	var all sync.WaitGroup
	for i := range list {
		all.Go(func() { results[i] = testReceiver(c.Context(), &list[i]) })
	}
	all.Wait()
	bad := 0
	out := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "RECEIVER\tKIND\tFIRING\tRESOLVED\tWHAT CAME BACK")
	for i, r := range results {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", list[i].Receiver.Name(), cfg.Alerts.Receivers[i].kind(), r.firing, r.resolved, r.answer)
		if r.failed {
			bad++
		}
	}
	if err := out.Flush(); err != nil {
		return failed(err)
	}
	if bad > 0 {
		return failed(fmt.Errorf("%d of %d receivers did not take the test alert", bad, len(list)))
	}
	return nil
}

// sharedWriter is one that receivers and the log write to at the same time.
type sharedWriter struct {
	mu sync.Mutex
	to io.Writer
}

// Write implements io.Writer.
func (s *sharedWriter) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(b)
}

// testResult is what came of one receiver.
type testResult struct {
	firing, resolved string // how long it took
	answer           string
	failed           bool
}

// testReceiver sends the alert, and its end where it fired, so that nothing is
// left behind.
func testReceiver(ctx context.Context, s *notify.Subscription) testResult {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	r := testResult{firing: "-", resolved: "-"}
	begin := time.Now()
	for _, status := range []string{alerts.Firing, alerts.Resolved} {
		if status == alerts.Resolved && s.NoResolved {
			r.resolved = "not wanted"
			break
		}
		before := time.Now()
		err := s.Receiver.Send(ctx, []alerts.Alert{testAlert(status, begin, before)})
		took := time.Since(before).Round(100 * time.Microsecond).String()
		r.answer = "taken"
		if a, ok := s.Receiver.(interface{ Answer() string }); ok && a.Answer() != "" {
			r.answer = a.Answer()
		}
		if err != nil {
			r.answer, r.failed, took = "failed: "+err.Error(), true, took+" (failed)"
		}
		if status == alerts.Firing {
			r.firing = took
		} else {
			r.resolved = took
		}
		if err != nil {
			break
		}
	}
	return r
}

func testAlert(status string, begin, now time.Time) alerts.Alert {
	a := receivers.Sample(status)
	a.Started, a.Time = begin.UTC(), now.UTC()
	if status == alerts.Resolved {
		a.Ended = a.Time
	} else {
		a.Until = a.Time.Add(time.Minute)
	}
	return a
}
