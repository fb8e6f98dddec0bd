package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attend takes the signals of a run from its very start: a hangup that comes early
// must not end it. The first SIGINT or SIGTERM ends the context, the second the
// process.
func (l *liveRun) attend() (ctx context.Context, hangup <-chan struct{}, done func()) {
	ctx, cancel := context.WithCancel(context.Background())
	l.life = newLife(os.LookupEnv, l.log)
	came, orders, over := make(chan os.Signal, 4), make(chan struct{}, 1), make(chan struct{})
	signal.Notify(came, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for {
			select {
			case s := <-came:
				l.obey(s, ctx, cancel, orders)
			case <-over:
				return
			}
		}
	}()
	return ctx, orders, func() {
		signal.Stop(came)
		close(over)
		cancel()
		l.life.close()
	}
}

// sameSignal: two within it are one. timeout(1), and a shell that ends, tell
// the process and then its group.
const sameSignal = 500 * time.Millisecond

func (l *liveRun) obey(s os.Signal, ctx context.Context, cancel func(), orders chan<- struct{}) {
	switch {
	case s == syscall.SIGHUP:
		select {
		case orders <- struct{}{}:
		default: // one waits already
		}
	case ctx.Err() == nil:
		l.ending = time.Now()
		l.log.Info("stopping", "signal", s.String())
		l.life.stopping()
		cancel()
	case time.Since(l.ending) < sameSignal:
	default:
		l.log.Error("a second signal: ends at once, what still waits is lost", "signal", s.String())
		l.program.exit(exitFailed)
	}
}

// life tells the service manager how the run is, in sd_notify's protocol: a
// datagram of lines. The socket is opened once, before anything can forbid it.
type life struct {
	socket *net.UnixConn // nil: nobody asked
	every  time.Duration // between two beats; 0: there is no watchdog
	log    *slog.Logger
}

func newLife(getenv func(string) (string, bool), log *slog.Logger) *life {
	l := &life{log: log}
	name, _ := getenv("NOTIFY_SOCKET")
	if !strings.HasPrefix(name, "/") && !strings.HasPrefix(name, "@") { // @: abstract
		return l
	}
	var err error
	if l.socket, err = net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"}); err != nil {
		log.Warn("the service manager cannot be told", "err", err)
		return l
	}
	usec, _ := getenv("WATCHDOG_USEC")
	n, err := strconv.ParseInt(usec, 10, 64)
	if pid, set := getenv("WATCHDOG_PID"); err == nil && n > 0 && (!set || pid == strconv.Itoa(os.Getpid())) {
		l.every = time.Duration(n) * time.Microsecond / 2
	}
	return l
}

// tellTime is how long a manager that takes nothing may hold up.
const tellTime = time.Second

func (l *life) tell(lines ...string) {
	if l.socket == nil {
		return
	}
	_ = l.socket.SetWriteDeadline(time.Now().Add(tellTime))
	_, _ = l.socket.Write([]byte(strings.Join(lines, "\n"))) // a manager that went away is told nothing
}

func (l *life) ready(status string) { l.tell("READY=1", "STATUS="+status) }
func (l *life) stopping() {
	l.tell("STOPPING=1", "STATUS=stopping: open sessions are written, queues are emptied")
}

func (l *life) reloading() {
	l.tell("RELOADING=1", "MONOTONIC_USEC="+strconv.FormatInt(monotonic(), 10))
}

func (l *life) close() {
	if l.socket != nil {
		l.socket.Close()
	}
}
