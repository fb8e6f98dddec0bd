package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"
)

// streams are the browsers that get updates. A message is encoded once for all of
// them; one that has not read the last few is dropped, and comes again by itself.
type streams struct {
	max int

	mu      sync.Mutex
	all     []*stream
	closed  bool
	dropped uint64
}

type stream struct {
	messages chan []byte
	gone     chan struct{} // closed when it is dropped
}

// maxWaiting is how many messages wait for a browser, one a second.
const maxWaiting = 8

// writeTime is how long one message may take on its way.
const writeTime = 10 * time.Second

func (s *streams) init(limit int) { s.max = limit }

// add returns nil where there are too many.
func (s *streams) add() *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.all) >= s.max {
		return nil
	}
	c := &stream{messages: make(chan []byte, maxWaiting), gone: make(chan struct{})}
	s.all = append(s.all, c)
	return c
}

func (s *streams) remove(c *stream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(x *stream) bool { return x == c })
}

// stuck counts one whose message was too long on its way.
func (s *streams) stuck() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dropped++
}

func (s *streams) number() (open int, dropped uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all), s.dropped
}

// send gives a message to all, and waits for none of them.
func (s *streams) send(message []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = slices.DeleteFunc(s.all, func(c *stream) bool {
		select {
		case c.messages <- message:
			return false
		default:
			close(c.gone)
			s.dropped++
			return true
		}
	})
}

func (s *streams) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for _, c := range s.all {
		close(c.gone)
	}
	s.all = nil
}

// Close ends all streams: a listener that stops must not wait for them.
func (p *Page) Close() { p.streams.close() }

// Publish sends what is new to the browsers. It is called once a second, by
// another goroutine than that of the events.
func (p *Page) Publish() {
	if open, _ := p.streams.number(); open == 0 {
		return
	}
	u, newest := p.update(p.published)
	p.published = newest
	var b bytes.Buffer
	b.WriteString("event: update\ndata: ")
	_ = json.NewEncoder(&b).Encode(u) // a line; it holds nothing that JSON cannot say
	b.WriteString("\n")
	p.streams.send(b.Bytes())
}

// answerEvents is GET /api/v1/events: server-sent events.
func (p *Page) answerEvents(w http.ResponseWriter, r *http.Request) {
	c := p.streams.add()
	if c == nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, "too many pages are open", http.StatusServiceUnavailable)
		return
	}
	defer p.streams.remove(c)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it to itself
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Time{}) // the request has come; it goes on as long as the page is open
	write := func(message []byte) bool {
		_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // where it cannot be set, gone ends a stuck one
		_, err := w.Write(message)
		if err == nil {
			err = control.Flush()
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			p.streams.stuck()
		}
		return err == nil
	}
	if !write([]byte("retry: 3000\n\n")) {
		return
	}
	for {
		select {
		case m := <-c.messages:
			if !write(m) {
				return
			}
		case <-c.gone:
			return
		case <-r.Context().Done():
			return
		}
	}
}
