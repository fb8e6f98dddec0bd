package log

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mailtap/mailtap/sessions/syslog"
)

// SyslogOptions of a Syslog sink. Network and Address must be set.
type SyslogOptions struct {
	Network  string      // udp, tcp, tls or unix
	Address  string      // host:port, or the path of a socket
	TLS      *tls.Config // for tls; nil: the system's authorities
	Facility string      // one of syslog.Facilities; default local0
	Hostname string      // of this machine; default -
	PID      int         // of this program

	MaxMessage int // octets of a message; a longer record is dropped: half a JSON object is of no use. Default 64 KiB

	MaxRecords int // records in the queue; default 10,000
	MaxBytes   int // octets in the queue; default 16 MiB

	Timeout    time.Duration // of connecting, and of one batch; default 10 s
	MinBackoff time.Duration // before the second try, doubled for each further one; default 500 ms
	MaxBackoff time.Duration // between tries; default 30 s

	Block     bool          // wait for space in the queue (offline reading) instead of dropping at once (live)
	BlockWait time.Duration // longest such wait; default 2 min
}

func (o SyslogOptions) withDefaults() SyslogOptions {
	o.Facility = cmp.Or(o.Facility, "local0")
	def(&o.MaxMessage, 64<<10)
	def(&o.MaxRecords, 10_000)
	def(&o.MaxBytes, 16<<20)
	def(&o.Timeout, 10*time.Second)
	def(&o.MinBackoff, 500*time.Millisecond)
	def(&o.MaxBackoff, 30*time.Second)
	def(&o.BlockWait, 2*time.Minute)
	o.MaxBackoff = max(o.MaxBackoff, o.MinBackoff)
	if o.Network == "udp" {
		o.MaxMessage = min(o.MaxMessage, maxDatagram)
	}
	if !o.Block {
		o.BlockWait = 0
	}
	return o
}

// maxDatagram is what one datagram of UDP holds over IPv4.
const maxDatagram = 65_507

// Syslog is a sink that sends records as messages of RFC 5424: the record's JSON
// behind structured data with its session. Over TCP and TLS (RFC 5425) they are
// counted (RFC 6587, 3.4.1), over UDP (RFC 5426) and a local socket each is a
// datagram.
//
// Syslog has no answer. Written means that the operating system took a
// message; what it held when a connection broke is lost, and nobody can know.
// A message that was cut by that is sent again.
type Syslog struct {
	o        SyslogOptions
	facility int
	queue    *queue
	quit     chan struct{} // closed when the time to stop is over
	done     chan struct{}
	stopOnce sync.Once

	conn   net.Conn      // of the goroutine; nil: none
	counts bool          // conn is a stream: messages are counted
	gone   *atomic.Bool  // the server closed conn
	ends   atomic.Uint32 // how many connections servers closed
	batch  tally         // what became of the batch, until settle counts it

	mu      sync.Mutex
	counted Counts
	under   int
	last    error
	over    bool
}

// tally of records that were dealt with.
type tally struct{ written, tooLong int }

// NewSyslog checks the options and starts the sink.
func NewSyslog(o SyslogOptions) (*Syslog, error) {
	o = o.withDefaults()
	facility, ok := syslog.Facility(o.Facility)
	if !ok {
		return nil, fmt.Errorf("log: syslog: %q is no facility", o.Facility)
	}
	switch o.Network {
	case "udp", "tcp", "tls":
		host, _, err := net.SplitHostPort(o.Address)
		if err != nil || host == "" {
			return nil, fmt.Errorf("log: syslog: the address %q must be host:port", o.Address)
		}
		if o.TLS = o.TLS.Clone(); o.TLS == nil {
			o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		o.TLS.ServerName = cmp.Or(o.TLS.ServerName, host)
	case "unix":
	default:
		return nil, fmt.Errorf("log: syslog: %q is no way to a server, allowed is udp, tcp, tls, unix", o.Network)
	}
	s := &Syslog{o: o, facility: facility, queue: newQueue(o.MaxRecords, o.MaxBytes), quit: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s, nil
}

// Write implements Sink. Live it never waits: what finds no space is dropped
// and counted.
func (s *Syslog) Write(rec Record) {
	if s.queue.put(own(&rec), s.o.BlockWait) {
		return
	}
	s.mu.Lock()
	s.counted.drop(QueueFull, 1)
	s.mu.Unlock()
}

// Counts says what became of the records.
func (s *Syslog) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.counted
	items, _, _ := s.queue.state()
	c.Waiting = items + s.under
	return c
}

// Err says why the server took nothing when it was last tried, nil where it did.
func (s *Syslog) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Stop takes no more records, sends what waits until ctx ends, and counts what is
// then left as dropped.
func (s *Syslog) Stop(ctx context.Context) error {
	s.queue.close()
	select {
	case <-s.done:
	case <-ctx.Done():
	}
	s.stopOnce.Do(func() { close(s.quit) })
	s.mu.Lock()
	defer s.mu.Unlock()
	lost := s.queue.drop() + s.under
	s.under, s.over = 0, true
	s.counted.drop(TimeOver, lost)
	if lost > 0 {
		return fmt.Errorf("log: syslog: %d records were not sent when the time to stop was over", lost)
	}
	return nil
}

// syslogBatch is how many octets are written at once.
const syslogBatch = 64 << 10

func (s *Syslog) run() {
	defer close(s.done)
	defer s.hangUp()
	wait := pause{least: s.o.MinBackoff, most: s.o.MaxBackoff}
	for s.queue.wait(time.Millisecond, syslogBatch, s.quit) {
		s.mu.Lock()
		batch := s.queue.take(nil, syslogBatch)
		s.under += len(batch)
		s.mu.Unlock()
		for len(batch) > 0 {
			sent, err := s.send(batch)
			batch = batch[sent:]
			if s.settle(sent, len(batch), err); err == nil {
				wait.reset()
				continue
			}
			s.hangUp()
			if !wait.wait(s.quit) {
				return
			}
		}
	}
}

// settle counts what was sent of a batch, and what is left to be sent again.
func (s *Syslog) settle(sent, left int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := s.batch
	s.batch = tally{}
	if s.over {
		return
	}
	s.under -= sent
	s.counted.Written += uint64(made.written)
	s.counted.drop(TooLong, made.tooLong)
	s.last = err
	if err != nil {
		s.counted.Retried += uint64(left)
	}
}

// send connects where there is no connection, and says how many records were
// dealt with.
func (s *Syslog) send(batch []item) (sent int, err error) {
	if err := s.dial(); err != nil {
		return 0, err
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.o.Timeout))
	if !s.counts {
		return s.sendDatagrams(batch)
	}
	return s.sendFrames(batch)
}

func (s *Syslog) sendDatagrams(batch []item) (sent int, err error) {
	var b []byte
	for i := range batch {
		b = s.message(b[:0], &batch[i])
		if len(b) > s.o.MaxMessage {
			s.batch.tooLong++
			continue
		}
		switch _, err := s.conn.Write(b); {
		case tooLarge(err):
			s.batch.tooLong++
		case err != nil:
			return i, failedToSend(err)
		default:
			s.batch.written++
		}
	}
	return len(batch), nil
}

// sendFrames writes the messages together. Of a write that was cut those count as
// sent that went out whole.
func (s *Syslog) sendFrames(batch []item) (sent int, err error) {
	var out, b []byte
	ends := make([]int, len(batch)) // of each one's frame; 0: too long
	for i := range batch {
		if b = s.message(b[:0], &batch[i]); len(b) <= s.o.MaxMessage {
			out = syslog.AppendFrame(out, b)
			ends[i] = len(out)
		}
	}
	n, err := s.conn.Write(out)
	for i, end := range ends {
		switch {
		case end > n:
			return i, failedToSend(err)
		case end == 0:
			s.batch.tooLong++
		default:
			s.batch.written++
		}
	}
	if err != nil && len(out) > 0 {
		return len(batch), failedToSend(err)
	}
	return len(batch), nil
}

// message of a record. There is no byte order mark before the JSON: what reads it
// would stumble.
func (s *Syslog) message(b []byte, it *item) []byte {
	b = syslog.AppendHeader(b, syslog.Header{
		Facility: s.facility, Severity: severityOf(it.event), Time: it.time, Hostname: s.o.Hostname, PID: s.o.PID, MsgID: it.event,
	})
	b = syslog.AppendParam(b, "session", it.session)
	b = syslog.AppendParam(b, "community_id", it.community)
	return append(syslog.AppendEnd(b), it.line...)
}

// severityOf a record: an alert is worth a warning.
func severityOf(event string) int {
	if event == KindAlert {
		return syslog.Warning
	}
	return syslog.Informational
}
