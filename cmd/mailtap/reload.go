package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// errStopping is the answer to a reload that comes too late.
var errStopping = errors.New("mailtap is stopping")

// reloader changes the configuration of a run while packets come: one reload at a
// time. What it builds is whole before anything that runs is touched.
type reloader struct {
	run     *liveRun
	outputs *outputs
	watch   *watch
	secrets *keys.Log // of tls.keylog
	names   []string  // of the sources

	mu       sync.Mutex
	running  *Config // what holds
	stopping bool
}

// reload reads the configuration anew and swaps it in. On an error all stays as
// it is; each mistake is a line.
func (r *reloader) reload() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping {
		return errStopping
	}
	r.run.life.reloading()
	defer r.run.ready(r.names)
	err := r.swap()
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			r.run.log.Error("the configuration was not reloaded, the old one stays", "err", line)
		}
	}
	r.outputs.metrics.Reloaded(err == nil, time.Now())
	return err
}

func (r *reloader) swap() error {
	next, err := r.run.load(r.allowed)
	if err != nil {
		return err
	}
	if next.Memory == r.run.asked {
		next.Memory = r.running.Memory
	}
	differ := next.keepFixed(r.running)
	if found := keepsWhatIsHidden(&next); len(found) > 0 {
		return located(found, nil)
	}
	w := r.run.wiringOf(&next, r.names)
	if w.keys, err = next.keysAfter(r.running, w.keys); err != nil {
		return err
	}
	c, err := w.change(r.outputs, r.running)
	if err != nil {
		return err
	}
	rules, off := len(c.engine.Stats().Rules), c.engine.Off() // the engine is not ours behind the swap
	r.watch.pipeline.swap(c)
	r.run.level(next.Log.Level)
	next.budgetAgain(r.run.ceiling, r.run.log)
	for _, key := range differ {
		r.run.log.Warn("needs a restart: "+key, "key", key)
	}
	if renamed(r.running, &next) {
		r.run.log.Warn("needs a restart: servers, for the label server of metrics; records, rules and the page have the new names", "key", "servers")
	}
	tellOff(r.run.log, off)
	r.running, r.run.wiring.keys = &next, w.keys
	r.run.log.Info("the configuration was reloaded", "rules", rules, "receivers", len(c.receivers), "need_a_restart", len(differ))
	return nil
}

// allowed tells which paths of a configuration cannot be opened any more. What cannot
// be changed does not count: it is told as such.
func (r *reloader) allowed(next *Config) error {
	asked := *next
	asked.keepFixed(r.running)
	return r.run.program.outside(&asked)
}

// reloadOnHangup does what SIGHUP asks for: the file of records is opened anew,
// since logrotate moved it away, and the configuration is reloaded.
func (r *reloader) reloadOnHangup(ctx context.Context, hangup <-chan struct{}) {
	for {
		select {
		case <-hangup:
			r.outputs.sinks.reopen()
			_ = r.reload() // the log has it
		case <-ctx.Done():
			return
		}
	}
}

// stop ends reloads; one that is under way ends first.
func (r *reloader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopping = true
}

// renamed says whether there is a name of a server that metrics do not know.
func renamed(was, now *Config) bool {
	return fmt.Sprint(was.serverNames()) != fmt.Sprint(now.serverNames())
}

// wiringOf says what a configuration wants of this run.
func (l *liveRun) wiringOf(cfg *Config, names []string) wiring {
	w := l.wiring
	w.cfg, w.log, w.registry, w.sources, w.faults = cfg, l.log, l.registry, names, &l.program.faults
	if w.lines == nil {
		w.records, w.lines = l.lines(cfg)
	}
	return w
}
