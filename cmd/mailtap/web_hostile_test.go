//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Ten thousand clients that mean no good (silent connections, headers a piece at a
// time, bodies without an end, streams that nobody reads) take nothing from the
// packets: each record comes, once, and memory stays bounded.
func TestHostileClientsOfThePage(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	a := startTap(t, "web: {pprof: true, limits: {read_header_timeout: 300ms, read_timeout: 500ms}}\n")
	const sessions, atOnce = 300, 400
	clients := 10_000
	if raceDetector {
		clients = 2000 // all of them take too long
	}
	before := a.heap()
	address := strings.TrimPrefix(a.url, "http://")
	var came atomic.Int64
	var all sync.WaitGroup
	over := make(chan struct{})
	for worker := range atOnce {
		all.Go(func() {
			for n := range clients / atOnce {
				hostile(address, worker*clients/atOnce+n, over)
				came.Add(1)
			}
		})
	}
	for i := range sessions {
		a.talk(mail, i, 0, -1)
		a.flush()
		time.Sleep(20 * time.Millisecond) // spread over the attack
	}
	a.await("every client came", func() bool { return came.Load() == int64(clients) })
	close(over)
	all.Wait()
	a.seen()
	a.await("they are counted", func() bool { // once a second
		return a.metric(`mailtap_web_refused_total{reason="slow"}`) > 0 && a.metric(`mailtap_web_refused_total{reason="body"}`) > 0 &&
			a.metric(`mailtap_web_refused_total{reason="connections_per_address"}`)+a.metric(`mailtap_web_refused_total{reason="connections"}`) > 0
	})
	if after := a.heap(); after > before+64<<20 {
		t.Errorf("memory grew from %.0f to %.0f MiB", before/(1<<20), after/(1<<20))
	}
	if n := a.metric("mailtap_web_connections"); n > 512 {
		t.Errorf("%v connections are open", n)
	}
	a.in.Close()
	<-a.done
	got := recordsIn(t, a.out.String(), "session")
	seen := map[any]bool{}
	for _, s := range got {
		seen[s["session"]] = true
		if s["end"] != "quit" || s["partial"] != nil {
			t.Errorf("%v", s)
		}
	}
	if len(got) != sessions || len(seen) != sessions || len(recordsIn(t, a.out.String(), "mail")) != sessions {
		t.Errorf("%d records of %d sessions, %d were held", len(got), len(seen), sessions)
	}
	if lines := strings.Count(a.err.String(), "\n"); lines > 100 {
		t.Errorf("clients filled the log with %d lines", lines)
	}
}

// hostile is one client: what it does depends on its number. It comes from one of
// many addresses of this machine.
func hostile(address string, n int, over <-chan struct{}) {
	from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(n/250), byte(1+n%250))}
	if n%2 == 0 {
		from.IP = net.IPv4(127, 0, 0, 9) // half of them are one
	}
	c, err := (&net.Dialer{LocalAddr: from, Timeout: 5 * time.Second}).Dial("tcp", address)
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(3 * time.Second))
	switch n / 2 % 5 {
	case 0: // says nothing
		pauseFor(200*time.Millisecond, over)
	case 1: // a header without an end
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: localhost\r\n")
		for range 5 {
			if _, err := fmt.Fprint(c, "X: y\r\n"); err != nil || pauseFor(100*time.Millisecond, over) {
				return
			}
		}
	case 2: // a body without an end
		fmt.Fprint(c, "POST /-/reload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
		for range 200 {
			if _, err := fmt.Fprintf(c, "1000\r\n%s\r\n", strings.Repeat("x", 4096)); err != nil {
				return
			}
		}
	case 3: // a stream that it does not read
		fmt.Fprint(c, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
		pauseFor(200*time.Millisecond, over)
	case 4: // requests without a pause, and answers that it does not want
		_, _ = io.WriteString(c, strings.Repeat("GET /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\n\r\n", 20))
	}
}

// pauseFor says whether it is over.
func pauseFor(d time.Duration, over <-chan struct{}) bool {
	select {
	case <-time.After(d):
		return false
	case <-over:
		return true
	}
}
