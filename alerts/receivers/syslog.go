package receivers

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/sessions/syslog"
)

// maxSyslog is how long a message's text and each of its values may be: receivers
// should take 8,192 octets in all (RFC 5425, 4.3.1).
const (
	maxSyslogText  = 2048
	maxSyslogValue = 256
)

// SyslogOptions configure a syslog server. Address is needed.
type SyslogOptions struct {
	Name     string        // for metrics and errors; default syslog
	Address  string        // host:port
	TLS      *tls.Config   // nil: TCP in clear
	Facility string        // one of syslog.Facilities; default local0
	Hostname string        // of this machine; default -
	Sensor   string        // told in the structured data
	Timeout  time.Duration // of one delivery; default 10 s
}

// Syslog sends messages of RFC 5424, counted (RFC 6587, 3.4.1) over TCP or TLS
// (RFC 5425). Syslog has no answer: a connection stays open for one batch only,
// and the batch is delivered when the server, told that nothing more comes,
// closes as well.
type Syslog struct {
	options  SyslogOptions
	facility int
	answer   string
}

// NewSyslog checks the options.
func NewSyslog(o SyslogOptions) (*Syslog, error) {
	o.Name = cmp.Or(o.Name, "syslog")
	o.Timeout = cmp.Or(max(o.Timeout, 0), 10*time.Second)
	facility, ok := syslog.Facility(cmp.Or(o.Facility, "local0"))
	if !ok {
		return nil, fmt.Errorf("receiver %s: %q is no facility", o.Name, alerts.Clip(o.Facility))
	}
	host, _, err := net.SplitHostPort(o.Address)
	if err != nil || host == "" {
		return nil, fmt.Errorf("receiver %s: the address must be host:port", o.Name)
	}
	if o.TLS != nil && o.TLS.ServerName == "" {
		o.TLS = o.TLS.Clone()
		o.TLS.ServerName = host
	}
	return &Syslog{options: o, facility: facility}, nil
}

// Name implements Receiver.
func (s *Syslog) Name() string { return s.options.Name }

// Answer says how the last Send was taken.
func (s *Syslog) Answer() string { return s.answer }

// Send implements Receiver.
func (s *Syslog) Send(ctx context.Context, batch []alerts.Alert) error {
	ctx, cancel := context.WithTimeout(ctx, s.options.Timeout)
	defer cancel()
	if err := s.deliver(ctx, s.frames(batch)); err != nil {
		what := alerts.Clip(err.Error())
		if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
			what = "takes nothing in time"
		}
		return &notify.Error{What: s.options.Address + ": " + what}
	}
	return nil
}

// closing is a connection whose end of ours can be closed alone.
type closing interface {
	net.Conn
	CloseWrite() error
}

func (s *Syslog) dial(ctx context.Context) (closing, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.options.Address)
	if err != nil {
		return nil, err
	}
	if s.options.TLS == nil {
		return c.(*net.TCPConn), nil
	}
	secure := tls.Client(c, s.options.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return secure, nil
}

func (s *Syslog) deliver(ctx context.Context, frames []byte) error {
	c, err := s.dial(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := c.Write(frames); err != nil {
		return err
	}
	if err := c.CloseWrite(); err != nil {
		return err
	}
	return s.await(c)
}

// await the server's end of the connection. Some servers leave theirs open for
// long: after a while without a reset the batch counts as taken.
func (s *Syslog) await(c net.Conn) error {
	c.SetReadDeadline(time.Now().Add(s.options.Timeout / 4))
	_, err := io.Copy(io.Discard, io.LimitReader(c, 64<<10))
	s.answer = "closed after the messages"
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.answer = "left the connection open"
		return nil
	}
	return err
}

func (s *Syslog) frames(batch []alerts.Alert) []byte {
	var out []byte
	for i := range batch {
		out = syslog.AppendFrame(out, s.message(&batch[i]))
	}
	return out
}

// severity of an alert in syslog's terms: critical, warning, informational; an
// end is a notice.
func syslogSeverity(a *alerts.Alert) int {
	switch {
	case a.Status == alerts.Resolved:
		return syslog.Notice
	case a.Severity == alerts.Critical:
		return syslog.Critical
	case a.Severity == alerts.Warning:
		return syslog.Warning
	}
	return syslog.Informational
}

// message writes one alert: header, structured data, text.
func (s *Syslog) message(a *alerts.Alert) []byte {
	b := syslog.AppendHeader(nil, syslog.Header{
		Facility: s.facility, Severity: syslogSeverity(a), Time: a.Time, Hostname: s.options.Hostname, PID: os.Getpid(), MsgID: a.Rule,
	})
	put := func(name, value string) { b = syslog.AppendParam(b, name, clipBytes(value, maxSyslogValue)) }
	put("rule", a.Rule)
	put("status", a.Status)
	put("severity", a.Severity)
	put("fingerprint", a.Fingerprint)
	put("key", a.Key)
	put("value", alerts.Number(a.Value))
	put("threshold", alerts.Number(a.Threshold))
	put("started", moment(a.Started))
	put("ended", moment(a.Ended))
	put("sensor", s.options.Sensor)
	put("techniques", strings.Join(a.Techniques, ","))
	put("sessions", strings.Join(a.Sessions, ","))
	put("evidence", a.Evidence)
	for _, l := range a.Labels {
		put("label."+syslog.Word(l.Name, 26), l.Value)
	}
	b = append(syslog.AppendEnd(b), "\ufeff"...) // the byte order mark says that UTF-8 follows (RFC 5424, 6.4)
	return append(b, clipBytes(syslog.OneLine(strings.ToUpper(a.Status)+" "+a.Severity+" "+a.Rule+": "+a.Summary), maxSyslogText)...)
}
