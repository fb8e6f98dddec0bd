package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/dashboards/report"
	"github.com/mailtap/mailtap/decode/tls/keys"
)

// maxSources bounds the interfaces of one process.
const maxSources = 64

func (p *program) runCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "run",
		Short: "Watch interfaces until stopped: metrics, records, alerts",
		Long: `run watches interfaces: --interface eth1,eth2, or any. It needs the capability
cap_net_raw and no other, until they are open: sudo setcap cap_net_raw+ep ./mailtap.
It refuses to be root: see sandbox.user and sandbox.allow_root.
--interface - reads a capture from standard input as it comes, until it ends; the
path of a named pipe reads from that, one writer after the other:
  ssh tap tcpdump -U -w - port 25 | mailtap run --interface -
SIGINT and SIGTERM end it: open sessions are written, queues are emptied.
SIGHUP opens the file of records anew, for logrotate.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.watch(c) },
	}
}

func (p *program) watch(c *cobra.Command) error {
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	if len(cfg.Capture.Interfaces) == 0 || len(cfg.Capture.Interfaces) > maxSources {
		return errors.New("capture.interfaces: name 1 to 64 interfaces, for example --interface eth1, or any; `mailtap interfaces` lists them")
	}
	if err := refuseRoot(&cfg.Sandbox); err != nil {
		return err
	}
	l := &liveRun{program: p, cfg: &cfg, log: newLogger(cfg.Log, p.stderr), registry: newRegistry()}
	l.wiring.durable = true
	return l.run(l.openSources, words(cfg.Capture.Interfaces))
}

// namedSource is a source and what metrics call it.
type namedSource struct {
	name string
	source
}

func (l *liveRun) openSources() ([]namedSource, error) {
	var out []namedSource
	for _, name := range words(l.cfg.Capture.Interfaces) {
		opened, err := l.openSource(name)
		if err != nil {
			for _, s := range out {
				s.Close()
			}
			return nil, err
		}
		for _, s := range opened {
			out = append(out, namedSource{name, s})
		}
	}
	return out, nil
}

// openSource opens what brings an interface's packets: one source, or one for
// each shard.
func (l *liveRun) openSource(name string) ([]source, error) {
	switch {
	case name == "-":
		return []source{newInputSource(l.program.stdin)}, nil
	case strings.Contains(name, "/"):
		s, err := openPipe(name)
		return []source{s}, err
	}
	opened, err := capture.OpenShards(l.cfg.liveOptions(name), l.cfg.Shards.number())
	if err != nil {
		return nil, err
	}
	method, refused := opened[0].Method()
	if refused != nil {
		l.log.Warn("no ring to be had, libpcap is used", "interface", name, "reason", refused)
	}
	l.log.Info("capturing", "interface", name, "method", string(method), "sources", len(opened))
	all := make([]source, len(opened))
	for i := range opened {
		all[i] = opened[i]
	}
	return all, nil
}

// newRegistry has the process's own figures beside mailtap's.
func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

func metricsHandler(r *prometheus.Registry) http.Handler {
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{EnableOpenMetrics: true, Registry: r, MaxRequestsInFlight: 4, Timeout: 30 * time.Second})
}

// liveRun is one run of the commands run and demo.
type liveRun struct {
	program  *program
	cfg      *Config
	log      *slog.Logger
	registry *prometheus.Registry
	wiring   wiring        // what differs between the commands
	quiet    bool          // that privileges were given up is no news
	duration time.Duration // 0: until stopped
	forgets  bool          // no state is kept, though there may be a place for it
	started  func(*webServer, *outputs)
}

// run takes the listener's address first: a mistake shows before anything is
// captured. Then it opens the sources and watches them.
func (l *liveRun) run(open func() ([]namedSource, error), names []string) error {
	tuneCollector(l.cfg.heap())
	l.wiring.active = newActiveAlerts(l.cfg.sensor())
	l.wiring.page = l.cfg.page(l.wiring.active)
	web, err := listen(l.cfg.Web, handlers{metricsHandler(l.registry), l.wiring.active, l.wiring.page}, l.log)
	if err != nil {
		return failed(err)
	}
	defer web.stop(time.Duration(l.cfg.StopTimeout))
	if err := l.reduce(); err != nil {
		return err
	}
	out, err := l.outputs(names)
	if err != nil {
		return err
	}
	if dir := string(l.cfg.StateDir); dir != "" && !l.forgets {
		if err := out.keep(dir, l.log); err != nil {
			return errors.Join(err, out.close())
		}
	}
	out.resume()
	sources, err := open()
	if err != nil {
		return failed(errors.Join(err, out.close()))
	}
	if err := l.confine(); err != nil {
		return errors.Join(err, out.close())
	}
	web.start()
	web.ready.Store(true)
	if l.started != nil {
		l.started(web, out)
	}
	l.log.Info("watching", "sources", names, "metrics", web.url()+"/metrics", "version", version)
	return failed(errors.Join(l.until(web, out, sources), out.close()))
}

func (l *liveRun) outputs(names []string) (*outputs, error) {
	w := l.wiring
	w.cfg, w.log, w.registry, w.sources = l.cfg, l.log, l.registry, names
	if w.lines == nil {
		w.records, w.lines = l.lines()
	}
	out, err := w.outputs()
	if err == nil {
		out.metrics.Reloaded(true, time.Now())
	}
	return out, err
}

// lines says where records and the lines of stdout receivers go: nothing but
// records goes to standard output while they go there.
func (l *liveRun) lines() (records, lines io.Writer) {
	if l.cfg.Log.Records.File != "" {
		return nil, l.program.stdout
	}
	return l.program.stdout, l.program.stderr
}

// until watches until a signal, the given duration, or a failure.
func (l *liveRun) until(web *webServer, out *outputs, sources []namedSource) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if l.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.duration)
		defer cancel()
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	go reopenOnHangup(ctx, hangup, out)
	go func() {
		if err := <-web.done; err != nil {
			fail(err)
		}
	}()
	secrets := l.follow(ctx)
	w := &watch{pipeline: newPipeline(l.cfg, out, secrets, l.cfg.Shards.number()), outputs: out}
	for _, s := range sources {
		w.addPuller(s, l.cfg, l.log)
	}
	err := w.run(ctx)
	web.ready.Store(false)
	l.log.Info("stopped", "packets_left_out", report.CountsOf(leftRows(leftOut(w.left(), w.pipeline.stats()))).String())
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		err = errors.Join(err, cause)
	}
	return err
}

// reopenOnHangup opens the file of records anew at each SIGHUP: logrotate moved it
// away.
func reopenOnHangup(ctx context.Context, hangup <-chan os.Signal, out *outputs) {
	for {
		select {
		case <-hangup:
			out.sinks.reopen()
		case <-ctx.Done():
			return
		}
	}
}

// follow reads the key log as it grows, where there is one.
func (l *liveRun) follow(ctx context.Context) *keys.Log {
	if l.cfg.TLS.Keylog == "" {
		return nil
	}
	secrets := &keys.Log{}
	go followKeylog(ctx, string(l.cfg.TLS.Keylog), secrets, l.log)
	return secrets
}
