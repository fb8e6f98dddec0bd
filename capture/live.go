//go:build cgo

package capture

import (
	"fmt"
	"io"

	"github.com/google/gopacket/pcap"
)

// Live captures from an interface through libpcap. One goroutine uses it,
// Stats and Close too.
type Live struct {
	name   string
	handle *pcap.Handle
	link   LinkType

	received, droppedKernel, droppedInterface tally
}

// OpenLive begins to capture. Its errors wrap ErrNoInterface, ErrPrivilege or
// ErrDown where that is the cause.
func OpenLive(o LiveOptions) (*Live, error) {
	o = o.withDefaults()
	h, err := activate(o)
	if err != nil {
		return nil, err
	}
	l := &Live{name: o.Interface, handle: h}
	l.link, err = linkOf(h)
	if err == nil {
		err = l.filter(o.Ports)
	}
	if err != nil {
		h.Close()
		return nil, fmt.Errorf("capture on %s: %w", o.Interface, err)
	}
	return l, nil
}

// Next waits for the next packet, at most the poll timeout: then it returns
// ErrTimeout, and so it does while the interface is down. p.Data lies in the
// ring and is borrowed until the next call. Any other error is final: the
// interface is gone, or the capture closed (io.EOF).
func (l *Live) Next(p *Packet) error {
	data, ci, err := l.handle.ZeroCopyReadPacketData()
	if err != nil {
		return l.failure(err)
	}
	p.Time = ci.Timestamp.UnixNano()
	p.Data = data
	p.Length = max(ci.Length, len(data))
	p.Link = l.link
	return nil
}

func (l *Live) failure(err error) error {
	switch err {
	case pcap.NextErrorTimeoutExpired:
		return ErrTimeout
	case io.EOF:
		return io.EOF
	case pcap.NextErrorReadError:
		err = l.handle.Error()
	}
	return fmt.Errorf("capture on %s: %w", l.name, err)
}

// Close ends the capture; it must not run beside Next.
func (l *Live) Close() error {
	l.handle.Close()
	return nil
}

// Stats counts packets since OpenLive: received ones passed the filter, those
// that the kernel then dropped for want of room in the ring among them;
// droppedInterface were lost before, in the card or its driver. libpcap counts
// in 32 bits: it must be asked at least once in 2^32 packets.
func (l *Live) Stats() (received, droppedKernel, droppedInterface uint64, err error) {
	s, err := l.handle.Stats()
	if err != nil {
		return 0, 0, 0, fmt.Errorf("capture on %s: counts: %w", l.name, err)
	}
	return l.received.add(s.PacketsReceived), l.droppedKernel.add(s.PacketsDropped), l.droppedInterface.add(s.PacketsIfDropped), nil
}

// tally carries a 32-bit counter on over its wrap.
type tally struct {
	last  uint32
	total uint64
}

func (t *tally) add(now int) uint64 {
	t.total += uint64(uint32(now) - t.last)
	t.last = uint32(now)
	return t.total
}
