package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/alerts/receivers"
	"github.com/mailtap/mailtap/dashboards/report"
)

func (p *program) demoCommand() *cobra.Command {
	d := demo{program: p}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Play a shipped capture of real mail traffic as if live; needs no root",
		Long: `demo plays a capture of real mail servers and clients in a loop at its own pace,
with a live page, metrics, alerts and a webhook receiver of its own. It needs no root and no
interface, and sends nothing beyond this machine.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return d.run(c) },
	}
	c.Flags().DurationVar(&d.duration, "duration", 0, "stop after so long; 0: when interrupted")
	c.Flags().Float64Var(&d.speed, "speed", 1, "times the capture's own pace, 0.1 to 100")
	return c
}

// demo is one run of the command demo.
type demo struct {
	program  *program
	duration time.Duration
	speed    float64
}

// demoSite is the site of the shipped capture.
const demoSite = `
sensor: demo
home:
  networks: [10.20.0.24/29, 10.20.0.32/27, "fd20::25/128"]
  domains: [corp.test, partner.test, aio.test, grey.test]
servers:
  - {name: mx, addresses: [10.20.0.25, "fd20::25", 10.20.0.26]}
  - {name: submission, addresses: [10.20.0.27]}
`

func (d *demo) run(c *cobra.Command) error {
	if d.speed < 0.1 || d.speed > 100 {
		return fmt.Errorf("flag --speed: %g, allowed is 0.1 to 100", d.speed)
	}
	cfg, err := d.config(c, nil)
	if err != nil {
		return err
	}
	screen := &screen{w: d.program.stdout}
	hook, err := startHook(screen)
	if err != nil {
		return failed(err)
	}
	defer hook.stop()
	receiver, err := receivers.NewWebhook(receivers.WebhookOptions{Name: "demo", URL: hook.url(), Sensor: cfg.sensor()})
	if err != nil {
		return failed(err)
	}
	l := &liveRun{
		program: d.program, cfg: &cfg, load: func(allowed func(*Config) error) (Config, error) { return d.config(c, allowed) }, registry: newRegistry(), duration: d.duration, forgets: true, quiet: true,
		wiring: wiring{lines: screen, extra: []notify.Receiver{receiver}},
		started: func(w *webServer, o *outputs) {
			o.screen = func(a alerts.Alert) { fmt.Fprintln(screen, "alert    "+report.Printable(receivers.Line(&a))) }
			d.welcome(screen, w)
		},
	}
	l.log, l.level = newLeveledLogger(cfg.Log, d.program.stderr)
	return l.run(d.open, []string{"demo"})
}

func (d *demo) open() ([]namedSource, error) {
	s, err := newDemoSource(d.speed)
	return []namedSource{{"demo", s}}, err
}

// config is the user's, or the shipped capture's own where none is given.
func (d *demo) config(c *cobra.Command, allowed func(*Config) error) (Config, error) {
	cfg, err := d.program.configIf(c, allowed)
	if err != nil || d.program.configFile != "" {
		return cfg, err
	}
	if !c.Flags().Changed("log.level") {
		cfg.Log.Level = "warn" // the screen is for alerts
	}
	return withSite(cfg, demoSite)
}

func (d *demo) welcome(to *screen, w *webServer) {
	fmt.Fprintf(to, `mailtap demo: real mail traffic of Postfix, Exim and their clients, played as if live

  open   %[1]s/           what is on the wire now
         %[1]s/metrics    what Prometheus scrapes
  below  each alert as it fires, and the webhook that a built-in receiver gets

Ctrl-C ends it.

`, w.url())
}
