package log

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
)

// dial makes sure of a connection. A server that closed a stream takes nothing
// more although the first write to it succeeds: so the stream is read, and what
// was closed is dialled anew.
func (s *Syslog) dial() error {
	if s.conn != nil {
		if !s.gone.Load() {
			return nil
		}
		s.hangUp()
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.o.Timeout)
	defer cancel()
	c, stream, err := s.connect(ctx)
	if err != nil {
		return failedToSend(err)
	}
	s.conn, s.counts, s.gone = c, stream, new(atomic.Bool)
	if stream {
		go func(gone *atomic.Bool) {
			_, _ = io.Copy(io.Discard, c)
			gone.Store(true)
			s.ends.Add(1)
		}(s.gone)
	}
	return nil
}

func (s *Syslog) connect(ctx context.Context) (c net.Conn, stream bool, err error) {
	var d net.Dialer
	switch s.o.Network {
	case "udp":
		c, err = d.DialContext(ctx, "udp", s.o.Address)
		return c, false, err
	case "unix":
		if c, err = d.DialContext(ctx, "unixgram", s.o.Address); err == nil {
			return c, false, nil
		}
		c, err = d.DialContext(ctx, "unix", s.o.Address)
		return c, true, err
	case "tls":
		c, err = (&tls.Dialer{Config: s.o.TLS}).DialContext(ctx, "tcp", s.o.Address)
		return c, true, err
	}
	c, err = d.DialContext(ctx, "tcp", s.o.Address)
	return c, true, err
}

func (s *Syslog) hangUp() {
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
}

func failedToSend(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errors.New("log: syslog: the server takes nothing in time")
	}
	return fmt.Errorf("log: syslog: %w", err)
}
