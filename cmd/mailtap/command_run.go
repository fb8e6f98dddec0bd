package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
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
SIGINT and SIGTERM end it: open sessions are written, queues are emptied. A second
one ends it at once. SIGHUP opens the file of records anew, for logrotate, and
reads the configuration again; a mistake in it keeps the old one.`,
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
	l := &liveRun{program: p, cfg: &cfg, registry: newRegistry(), load: func(allowed func(*Config) error) (Config, error) { return p.configIf(c, allowed) }}
	l.log, l.level = newLeveledLogger(cfg.Log, p.stderr)
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
		s, err := openPipe(name, l.log)
		return []source{s}, err
	}
	o, shards := l.cfg.liveOptions(name), l.cfg.Shards.number()
	opened, err := capture.OpenShards(o, shards)
	if err != nil {
		return nil, err
	}
	method, refused := opened[0].Method()
	if refused != nil {
		l.log.Warn("no ring to be had, libpcap is used", "interface", name, "reason", refused)
	}
	if method == capture.MethodRing && len(opened) < shards {
		l.log.Warn("capture.buffer has no room for a ring for each shard, fewer readers are used", "interface", name, "shards", shards, "readers", len(opened),
			"buffer", int(l.cfg.Capture.Buffer), "needed", shards*o.LeastRing())
	}
	l.log.Info("capturing", "interface", name, "method", string(method), "readers", len(opened))
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
	load     func(allowed func(*Config) error) (Config, error) // the configuration as it is now
	asked    Size                                              // memory, before it was fitted to the machine
	ceiling  ceiling                                           // of memory
	level    func(LogLevel)                                    // of the log
	life     *life
	ending   time.Time     // when the first signal to end came
	wiring   wiring        // what differs between the commands
	quiet    bool          // that privileges were given up is no news
	duration time.Duration // 0: until stopped
	forgets  bool          // no state is kept, though there may be a place for it
	started  func(*webServer, *outputs)
}

// run takes the listener's address first: a mistake shows before anything is
// captured. Then it opens the sources and watches them.
func (l *liveRun) run(open func() ([]namedSource, error), names []string) error {
	ctx, orders, done := l.attend()
	defer done()
	l.asked = l.cfg.Memory
	l.ceiling = memoryCeiling(os.DirFS("/"))
	l.cfg.budgetMemory(l.ceiling, l.log)
	if err := l.wire(); err != nil {
		return err
	}
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
		if err := out.keep(dir); err != nil {
			return errors.Join(err, out.close())
		}
	}
	out.resume()
	sources, err := open()
	if err != nil {
		return failed(errors.Join(err, out.close()))
	}
	if err := l.confine(); err != nil {
		for _, s := range sources {
			s.Close()
		}
		return errors.Join(err, out.close())
	}
	out.web = web
	r := l.build(out, sources, names)
	reload := r.reload
	web.reload.Store(&reload)
	web.start()
	web.ready.Store(true)
	l.ready(names)
	if l.started != nil {
		l.started(web, out)
	}
	l.log.Info("watching", "sources", names, "page", l.pageURL(web), "metrics", web.url()+"/metrics", "version", version)
	return failed(errors.Join(l.until(ctx, orders, web, out, r), out.close()))
}

// wire makes what outlives reloads and shows what mailtap knows.
func (l *liveRun) wire() (err error) {
	w := &l.wiring
	if w.keys, err = l.cfg.keyring(); err != nil {
		return err
	}
	w.active, w.shown = newActiveAlerts(l.cfg.sensor()), l.cfg.shown(w.keys)
	w.page = l.cfg.page(w.active, w.shown)
	return nil
}

// ready says so to the service manager, whose status shows what is watched until
// there are figures.
func (l *liveRun) ready(names []string) { l.life.ready("watching " + strings.Join(names, ", ")) }

// pageURL is where an administrator looks first.
func (l *liveRun) pageURL(web *webServer) string {
	if !l.cfg.Web.Page {
		return "off"
	}
	return web.url() + "/"
}

func (l *liveRun) outputs(names []string) (*outputs, error) {
	out, err := l.wiringOf(l.cfg, names).outputs()
	if err == nil {
		out.metrics.Reloaded(true, time.Now())
	}
	return out, err
}

// lines says where records and the lines of stdout receivers go: nothing but
// records goes to standard output while they go there.
func (l *liveRun) lines(cfg *Config) (records, lines io.Writer) {
	if cfg.Log.Records.File != "" {
		return nil, l.program.stdout
	}
	return l.program.stdout, l.program.stderr
}

// until watches until it is told to end, for the given duration, or to a failure.
func (l *liveRun) until(ctx context.Context, hangup <-chan struct{}, web *webServer, out *outputs, r *reloader) error {
	if l.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, l.duration)
		defer cancel()
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	go func() {
		if err := <-web.done; err != nil {
			fail(err)
		}
	}()
	go r.reloadOnHangup(ctx, hangup)
	if l.cfg.TLS.Keylog != "" {
		go followKeylog(ctx, string(l.cfg.TLS.Keylog), r.secrets, l.log)
	}
	w := r.watch
	go l.life.watch(ctx, w)
	for i, r := range w.pullers {
		r.faults = l.program.faults.packets(i)
	}
	defer l.program.faults.tell(l.log)
	err := w.run(ctx)
	web.ready.Store(false)
	l.tellStopped(w)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) && !errors.Is(cause, context.DeadlineExceeded) {
		err = errors.Join(err, cause)
	}
	return err
}

// tellStopped says what was left out. Packets that stop_timeout left no time for are
// a loss that no scrape sees any more.
func (l *liveRun) tellStopped(w *watch) {
	left := []any{"packets_left_out", report.CountsOf(leftRows(leftOut(w.left(), w.pipeline.stats()))).String()}
	if n := w.givenUp(); n > 0 {
		l.log.Warn("stopped before all packets were followed: stop_timeout was over", append(left, "packets_dropped", n)...)
		return
	}
	l.log.Info("stopped", left...)
}

// build makes the packet path of the sources.
func (l *liveRun) build(out *outputs, sources []namedSource, names []string) *reloader {
	r := &reloader{run: l, outputs: out, names: names, running: l.cfg}
	if l.cfg.TLS.Keylog != "" {
		r.secrets = &keys.Log{}
	}
	r.watch = &watch{pipeline: newPipeline(l.cfg, out, r.secrets, l.cfg.Shards.number()), outputs: out, closing: r.stop, machine: bootClock{time.Now()}}
	for _, s := range sources {
		r.watch.addPuller(s, l.cfg, l.log)
	}
	return r
}
