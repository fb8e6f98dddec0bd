package capture

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// spares are packet sockets that were opened in advance, for an interface that is
// made anew when no socket can be opened any more: one in a group cannot be bound
// again (packet_do_bind refuses it) nor leave it. They are of protocol 0 and bound to
// nothing, so they receive nothing.
type spares struct {
	kind int
	fds  []int
}

func (s *spares) fill(n int, d device) error {
	s.kind = kindOf(d)
	for len(s.fds) < n {
		fd, err := packetSocket(s.kind)
		if err != nil {
			return fmt.Errorf("spare packet socket: %w", err)
		}
		s.fds = append(s.fds, fd)
	}
	return nil
}

// socket opens one, or takes a spare where that is refused.
func (s *spares) socket(kind int) (int, error) {
	fd, err := packetSocket(kind)
	last := len(s.fds) - 1
	if err != unix.EPERM || last < 0 || kind != s.kind {
		return fd, err
	}
	fd, s.fds = s.fds[last], s.fds[:last]
	return fd, nil
}

func (s *spares) close() {
	for _, fd := range s.fds {
		unix.Close(fd)
	}
	s.fds = nil
}

// packetSocket is of protocol 0: it receives nothing until it is bound.
func packetSocket(kind int) (int, error) {
	return unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0)
}

func kindOf(d device) int {
	if d.cooked() {
		return unix.SOCK_DGRAM
	}
	return unix.SOCK_RAW
}
