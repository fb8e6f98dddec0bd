package receivers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// exitNever is the exit status of a command that will never take an alert:
// EX_DATAERR of sysexits.h.
const exitNever = 65

// CommandOptions configure a command. Argv is needed.
type CommandOptions struct {
	Name    string        // for metrics and errors; default command
	Argv    []string      // program and arguments, as they are: no shell reads them
	Timeout time.Duration // of one run; default 30 s
	Sensor  string        // MAILTAP_SENSOR
}

// Command runs a program for each alert, which gets it as JSON on its standard
// input and in variables. What it prints is not read. Status 0 is delivered,
// 65 refused for good, any other is tried again.
type Command struct {
	options CommandOptions
	program string
	taken   []string // notices of the batch at hand that were taken: a retry leaves them out
}

// NewCommand checks the options and finds the program.
func NewCommand(o CommandOptions) (*Command, error) {
	o.Name = cmp.Or(o.Name, "command")
	o.Timeout = cmp.Or(max(o.Timeout, 0), 30*time.Second)
	if len(o.Argv) == 0 {
		return nil, fmt.Errorf("receiver %s: has no program", o.Name)
	}
	program, err := exec.LookPath(o.Argv[0])
	if err != nil {
		return nil, fmt.Errorf("receiver %s: %w", o.Name, err)
	}
	return &Command{options: o, program: program}, nil
}

// Name implements Receiver.
func (c *Command) Name() string { return c.options.Name }

// Send implements Receiver.
func (c *Command) Send(ctx context.Context, batch []alerts.Alert) error {
	for i := range batch {
		id := noticeID(&batch[i])
		if c.took(id) {
			continue
		}
		if err := c.run(ctx, &batch[i]); err != nil {
			return err
		}
		c.taken = append(c.taken, id)
		c.taken = c.taken[max(0, len(c.taken)-notify.MaxBatch):]
	}
	return nil
}

func (c *Command) took(id string) bool {
	for _, x := range c.taken {
		if x == id {
			return true
		}
	}
	return false
}

// noticeID tells notices apart: those of one alert too.
func noticeID(a *alerts.Alert) string {
	return fmt.Sprintf("%s %s %s %d %d", a.Fingerprint, a.Status, a.Severity, a.Repeat, a.Time.UnixNano())
}

func (c *Command) run(ctx context.Context, a *alerts.Alert) error {
	text, err := json.Marshal(a)
	if err != nil {
		return &notify.Error{What: err.Error(), Final: true}
	}
	run, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	p := exec.CommandContext(run, c.program, c.options.Argv[1:]...)
	p.Args[0] = c.options.Argv[0]
	p.Env = c.environment(a)
	p.Stdin = bytes.NewReader(append(text, '\n'))
	p.WaitDelay = time.Second // a child that holds standard input
	ownGroup(p)
	err = p.Run()
	var status *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay): // a command may leave its input unread
		return nil
	case errors.Is(run.Err(), context.DeadlineExceeded):
		return &notify.Error{What: fmt.Sprintf("%s: did not end within %s and was killed", c.program, c.options.Timeout)}
	case errors.As(err, &status) && status.ExitCode() >= 0:
		return &notify.Error{What: fmt.Sprintf("%s: exit status %d", c.program, status.ExitCode()), Final: status.ExitCode() == exitNever}
	}
	return &notify.Error{What: c.program + ": " + alerts.Clip(err.Error())}
}

// maxVariable bounds a variable; systems refuse long ones.
const maxVariable = 4 << 10

// passed is what a command gets of our own environment: a variable of ours may
// be a secret.
var passed = [...]string{"PATH", "HOME", "LANG", "TZ"}

func (c *Command) environment(a *alerts.Alert) []string {
	var out []string
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			out = append(out, name+"="+value)
		}
	}
	put := func(name, value string) {
		if value != "" {
			out = append(out, "MAILTAP_"+name+"="+strings.ReplaceAll(clipBytes(value, maxVariable), "\x00", "?"))
		}
	}
	put("STATUS", a.Status)
	put("RULE", a.Rule)
	put("SEVERITY", a.Severity)
	put("KEY", a.Key)
	put("SUMMARY", a.Summary)
	put("VALUE", alerts.Number(a.Value))
	put("THRESHOLD", alerts.Number(a.Threshold))
	put("TIME", moment(a.Time))
	put("STARTED", moment(a.Started))
	put("ENDED", moment(a.Ended))
	put("FINGERPRINT", a.Fingerprint)
	put("SESSIONS", strings.Join(a.Sessions, ","))
	put("EVIDENCE", a.Evidence)
	put("RUNBOOK", a.Runbook)
	put("SENSOR", c.options.Sensor)
	for _, l := range a.Labels {
		put("LABEL_"+variable(l.Name), l.Value)
	}
	return out
}

// variable is a label's name as a shell can read it.
func variable(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}
