package log

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// inbox is what a syslog server got.
type inbox struct {
	mu       sync.Mutex
	messages []string
}

func (in *inbox) add(m string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.messages = append(in.messages, m)
}

func (in *inbox) len() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.messages)
}

// read takes counted messages, at most so many; 0: all.
func (in *inbox) read(c net.Conn, most int) {
	r := bufio.NewReader(c)
	for i := 0; most == 0 || i < most; i++ {
		var n int
		if _, err := fmt.Fscanf(r, "%d ", &n); err != nil {
			return
		}
		m := make([]byte, n)
		if _, err := io.ReadFull(r, m); err != nil {
			return
		}
		in.add(string(m))
	}
}

// datagrams takes each as a message.
func (in *inbox) datagrams(c net.PacketConn) {
	b := make([]byte, 1<<17)
	for {
		n, _, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		in.add(string(b[:n]))
	}
}

// accept serves each connection until it ends, the n-th for most(n) messages.
func (in *inbox) accept(l net.Listener, most func(n int) int) {
	for n := 0; ; n++ {
		c, err := l.Accept()
		if err != nil {
			return
		}
		in.read(c, most(n))
		c.Close()
	}
}

func all(int) int { return 0 }

// syslogServer listens in one of the ways and gives where.
func syslogServer(t *testing.T, network string, in *inbox) SyslogOptions {
	t.Helper()
	o := SyslogOptions{Network: network, Hostname: "tap1", PID: 7, MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}
	var l net.Listener
	var p net.PacketConn
	var err error
	switch network {
	case "udp":
		p, err = net.ListenPacket("udp", "127.0.0.1:0")
	case "unixgram":
		o.Network, o.Address = "unix", filepath.Join(t.TempDir(), "log")
		p, err = net.ListenPacket("unixgram", o.Address)
	case "unix":
		o.Address = filepath.Join(t.TempDir(), "log")
		l, err = net.Listen("unix", o.Address)
	case "tcp":
		l, err = net.Listen("tcp", "127.0.0.1:0")
	case "tls":
		s := httptest.NewUnstartedServer(nil)
		s.StartTLS() // for its certificate
		t.Cleanup(s.Close)
		roots := x509.NewCertPool()
		roots.AddCert(s.Certificate())
		o.TLS = &tls.Config{RootCAs: roots}
		l, err = tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: s.TLS.Certificates})
	}
	if err != nil {
		t.Fatal(err)
	}
	if p != nil {
		t.Cleanup(func() { p.Close() })
		if o.Address == "" {
			o.Address = p.LocalAddr().String()
		}
		go in.datagrams(p)
		return o
	}
	t.Cleanup(func() { l.Close() })
	if o.Address == "" {
		o.Address = l.Addr().String()
	}
	go in.accept(l, all)
	return o
}

func startSyslog(t *testing.T, o SyslogOptions) *Syslog {
	t.Helper()
	s, err := NewSyslog(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func writeSyslog(s *Syslog, from, to int) {
	for i := from; i < to; i++ {
		s.Write(Record{Line: []byte(line(i)), Time: start, Event: KindMail, Session: `S"1`, CommunityID: "1:abc="})
	}
}

func TestSyslogByEachWay(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "tls", "unix", "unixgram"} {
		t.Run(network, func(t *testing.T) {
			var in inbox
			s := startSyslog(t, syslogServer(t, network, &in))
			writeSyslog(s, 0, 20)
			s.Write(Record{Line: []byte("{}"), Time: start, Event: KindAlert})
			await(t, func() bool { return in.len() == 21 })
			if err := s.Stop(context.Background()); err != nil {
				t.Error(err)
			}
			want := `<134>1 2026-03-09T08:07:06.000005Z tap1 mailtap 7 mail [mailtap@32473 session="S\"1" community_id="1:abc="] {"n":0}`
			if in.messages[0] != want {
				t.Errorf("got  %s\nwant %s", in.messages[0], want)
			}
			if want := "<132>1 2026-03-09T08:07:06.000005Z tap1 mailtap 7 alert [mailtap@32473] {}"; in.messages[20] != want {
				t.Errorf("got  %s\nwant %s", in.messages[20], want)
			}
			if c := s.Counts(); c != (Counts{Written: 21}) {
				t.Errorf("counts %+v", c)
			}
		})
	}
}

// A server that goes away is dialled anew; what waits is sent in order.
func TestSyslogReconnects(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var in inbox
	go in.accept(l, func(n int) int { return []int{5, 7, 0}[min(n, 2)] })
	s := startSyslog(t, SyslogOptions{Network: "tcp", Address: l.Addr().String(), MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond})
	sent := 0
	for i, more := range []int{5, 7, 9} { // each connection but the last ends when it has all of it
		writeSyslog(s, sent, sent+more)
		sent += more
		await(t, func() bool { return in.len() == sent })
		if sent < 21 {
			await(t, func() bool { return s.ends.Load() == uint32(i+1) })
		}
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	for i, m := range in.messages {
		if !strings.HasSuffix(m, line(i)) {
			t.Errorf("message %d is %s", i, m)
		}
	}
	if c := s.Counts(); c.Written != 21 || c.Dropped != 0 {
		t.Errorf("counts %+v", c)
	}
}

func TestSyslogAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	s := startSyslog(t, SyslogOptions{Network: "tcp", Address: address, MaxRecords: 10, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond})
	writeSyslog(s, 0, 10)
	await(t, func() bool { return s.Err() != nil })
	writeSyslog(s, 10, 500)
	if c := s.Counts(); c.Written != 0 || c.Dropped+uint64(c.Waiting) != 500 || c.Dropped != c.Reasons[QueueFull] || c.Dropped < 400 {
		t.Errorf("counts %+v", c)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		t.Skip("the port was taken meanwhile")
	}
	defer l.Close()
	var in inbox
	go in.accept(l, all)
	await(t, func() bool { return s.Counts().Waiting == 0 })
	if err := s.Stop(context.Background()); err != nil {
		t.Error(err)
	}
	if c := s.Counts(); c.Written+c.Dropped != 500 || s.Err() != nil {
		t.Errorf("counts %+v", c)
	}
}

func TestSyslogDropsWhatIsTooLong(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		var in inbox
		o := syslogServer(t, network, &in)
		o.MaxMessage = 500
		s := startSyslog(t, o)
		s.Write(Record{Line: []byte(strings.Repeat("x", 500)), Time: start, Event: KindMail})
		writeSyslog(s, 0, 1)
		await(t, func() bool { return in.len() == 1 })
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if c := s.Counts(); c.Written != 1 || c.Reasons[TooLong] != 1 || c.Waiting != 0 {
			t.Errorf("%s: counts %+v", network, c)
		}
	}
}

func TestSyslogThatHangsStopsInTime(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts or reads
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := startSyslog(t, SyslogOptions{Network: "tls", Address: l.Addr().String(), Timeout: 100 * time.Millisecond, MinBackoff: time.Millisecond})
	writeSyslog(s, 0, 3)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := s.Stop(ctx); err == nil {
		t.Error("Stop does not say that records are lost")
	}
	if c := s.Counts(); c.Reasons[TimeOver] != 3 || c.Waiting != 0 {
		t.Errorf("counts %+v", c)
	}
	<-s.done
}

func TestSyslogRefusesImpossibleOptions(t *testing.T) {
	for _, o := range []SyslogOptions{{}, {Network: "udp"}, {Network: "tcp", Address: ":514"}, {Network: "unix", Address: "/x", Facility: "local9"}} {
		if s, err := NewSyslog(o); err == nil {
			_ = s.Stop(context.Background())
			t.Errorf("%+v is taken", o)
		}
	}
}

func TestOnlyFilters(t *testing.T) {
	var a, b kept
	w, err := NewWriter(Options{Sinks: []Sink{Only(&a, []string{KindAlert, KindSession}), Only(&b, Kinds[:])}})
	if err != nil {
		t.Fatal(err)
	}
	w.Handle(mailDone(richConn(), richMail(), "none"))
	w.Handle(closed(richConn(), richSession()))
	w.Alert(richAlert())
	if len(a.records) != 2 || len(b.records) != 3 || a.records[0].Event != KindSession || a.records[0].Session != "S1" || a.records[0].CommunityID != "1:abc=" {
		t.Errorf("%v and %v", a.records, b.records)
	}
}
