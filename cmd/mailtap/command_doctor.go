package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/doctor"
)

// errProblems is the end of a check that found any: they are printed already.
var errProblems = errors.New("there are problems")

func (p *program) doctorCommand() *cobra.Command {
	var span time.Duration
	var format string
	var beside bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check this sensor: privilege, interface, what the mirror brings, receivers, disk, clock",
		Long: `doctor checks what a sensor needs and says for each of it ok, note or problem,
what that means and what to do. It listens on the interfaces for some seconds, or,
where a mailtap runs here, reads that one's counters instead. It changes nothing
and sends nothing: receivers are connected to, "mailtap alerts test" tries them.
Without a configuration it checks what can be checked without.

The exit status is 0 without problems, 1 with some, 2 for wrong usage.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if span < 0 || span > time.Hour {
				return fmt.Errorf("--listen: %s, allowed is 0s to 1h", span)
			}
			if format != "text" && format != "json" {
				return fmt.Errorf("--format: %q is no format, allowed is text, json", format)
			}
			return p.examine(c, examination{span: span, beside: beside}, format)
		},
	}
	c.Flags().DurationVar(&span, "listen", 10*time.Second, "how long to listen, or to watch the counters of a mailtap that runs; 0s does not listen")
	c.Flags().StringVar(&format, "format", "text", "text or json")
	c.Flags().BoolVar(&beside, "beside", false, "listen also where a mailtap runs")
	return c
}

func (p *program) examine(c *cobra.Command, e examination, format string) error {
	cfg, err := p.config(c)
	if err != nil {
		// What the file has wrong must not hide the rest. Flags and environment
		// that are wrong are wrong usage.
		e.broken = err
		if cfg, err = p.without(c); err != nil {
			return e.broken
		}
	}
	e.cfg, e.file = &cfg, p.configFile
	if e.ctx = c.Context(); e.ctx == nil {
		e.ctx = context.Background()
	}
	e.run()
	write := func() error { return e.report.Text(p.stdout, isTerminal(p.stdout) && os.Getenv("NO_COLOR") == "") }
	if format == "json" {
		write = func() error { return e.report.JSON(p.stdout) }
	}
	if err := write(); err != nil {
		return failed(err)
	}
	if e.report.Problems > 0 {
		return failed(errProblems)
	}
	return nil
}

// without loads the configuration as if there were no file.
func (p *program) without(c *cobra.Command) (Config, error) {
	l := loader{flags: c.Flags(), getenv: os.LookupEnv, names: environment}
	return l.load()
}

// examination is one run of the checks, in the order in which a sensor comes
// to life.
type examination struct {
	ctx    context.Context
	cfg    *Config
	file   string
	broken error // of the configuration, which is the default then
	span   time.Duration
	beside bool
	report doctor.Report
}

func (e *examination) run() {
	add := e.report.Add
	add(e.configuration()...)
	running, runs := e.running()
	program, err := os.Executable()
	if err != nil {
		program = "mailtap"
	}
	add(doctor.Privilege(program, runs && !e.beside))
	add(doctor.Sandbox()...)
	e.interfaces(!runs || e.beside)
	add(running...)
	add(doctor.Clock())
	for _, place := range e.places() {
		add(doctor.Folder(place))
	}
	e.others()
}

// interfaces are looked at, and listened on where nobody else does.
func (e *examination) interfaces(listen bool) {
	list := words(e.cfg.Capture.Interfaces)
	if len(list) == 0 {
		e.report.Add(doctor.NoInterface())
	}
	for _, name := range list {
		found := doctor.Interface(name, e.cfg.Capture.Promiscuous)
		e.report.Add(found...)
		e.report.Add(doctor.Losses(name)...)
		ready := found[0].State != doctor.Problem && !e.report.Has("privilege", doctor.Problem)
		if listen && ready && e.span > 0 && name != "-" && !strings.Contains(name, "/") {
			e.report.Add(doctor.Listen(e.ctx, e.cfg.liveOptions(name), e.cfg.ports(), e.span)...)
		}
	}
}

// running asks the mailtap at web.listen-address, if there is one.
func (e *examination) running() ([]doctor.Finding, bool) {
	web := &e.cfg.Web
	address := string(web.ListenAddress)
	url := doctor.URL(address, web.Config.File != "")
	// Nothing is sent that a stranger must not have, and certificates seldom name 127.0.0.1.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec
	defer client.CloseIdleConnections()
	found, runs := doctor.Running(e.ctx, client, url, max(e.span, time.Second/2))
	if len(found) == 0 {
		return []doctor.Finding{doctor.Listener(address)}, false
	}
	return found, runs
}
