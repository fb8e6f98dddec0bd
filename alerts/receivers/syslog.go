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
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// Facilities are the names of syslog's facilities by their numbers (RFC 5424,
// 6.2.1).
var Facilities = [...]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
	"ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// sdID names our structured data; 32473 is the enterprise number that RFC 5612
// sets aside for those who have none.
const sdID = "mailtap@32473"

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
	Facility string        // one of Facilities; default local0
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
	facility := slices.Index(Facilities[:], cmp.Or(o.Facility, "local0"))
	if facility < 0 {
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
		m := s.message(&batch[i])
		out = fmt.Appendf(out, "%d %s", len(m), m)
	}
	return out
}

// severity of an alert in syslog's terms: critical, warning, informational; an
// end is a notice.
func syslogSeverity(a *alerts.Alert) int {
	switch {
	case a.Status == alerts.Resolved:
		return 5
	case a.Severity == alerts.Critical:
		return 2
	case a.Severity == alerts.Warning:
		return 4
	}
	return 6
}

// message writes one alert: header, structured data, text.
func (s *Syslog) message(a *alerts.Alert) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<%d>1 %s %s mailtap %d %s [%s", s.facility*8+syslogSeverity(a), a.Time.UTC().Format("2006-01-02T15:04:05.000000Z"),
		word(s.options.Hostname, 255), os.Getpid(), word(a.Rule, 32), sdID)
	put := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, ` %s="%s"`, name, escapeParam(clipBytes(value, maxSyslogValue)))
		}
	}
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
		put("label."+word(l.Name, 26), l.Value)
	}
	b.WriteString("] \ufeff") // the byte order mark says that UTF-8 follows (RFC 5424, 6.4)
	b.WriteString(clipBytes(oneLine(strings.ToUpper(a.Status)+" "+a.Severity+" "+a.Rule+": "+a.Summary), maxSyslogText))
	return b.String()
}

// word is a name as the header and SD-NAME have it: printable ASCII without
// what ends or splits it.
func word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f || r == '=' || r == ']' || r == '"' {
			return '_'
		}
		return r
	}, s)
	return cmp.Or(s[:min(len(s), most)], "-")
}

// escapeParam writes a value of structured data (RFC 5424, 6.3.3).
func escapeParam(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `]`, `\]`).Replace(oneLine(s))
}

// oneLine is a text without control characters and damaged octets.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
