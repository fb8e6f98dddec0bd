//go:build cgo

package capture

import (
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"syscall"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"golang.org/x/net/bpf"
)

// pcapReader reads an interface through libpcap. A packet of libpcap lives
// until the next one is asked for, so batches are copies.
type pcapReader struct {
	name   string
	handle *pcap.Handle
	link   LinkType
	store  []byte
	pause  time.Duration

	received, droppedKernel, droppedInterface tally
}

// openPcap opens the handle. Immediate mode is never asked for: it wakes the
// program for each packet and costs five times the processor time.
func openPcap(o LiveOptions, known bool) (reader, error) {
	in, err := pcap.NewInactiveHandle(o.Interface)
	if err != nil {
		return nil, pcapError(o.Interface, known, err)
	}
	defer in.CleanUp()
	// libpcap only warns that any cannot be promiscuous; gopacket takes that
	// warning for a failure.
	promiscuous := !o.NoPromiscuous && o.Interface != anyDevice
	err = errors.Join(in.SetSnapLen(o.Snaplen), in.SetBufferSize(min(o.BufferBytes, math.MaxInt32)), in.SetPromisc(promiscuous), in.SetTimeout(o.PollTimeout))
	if err != nil {
		return nil, pcapError(o.Interface, known, err)
	}
	h, err := in.Activate()
	if err != nil {
		return nil, pcapError(o.Interface, known, err)
	}
	r := &pcapReader{name: o.Interface, handle: h, store: make([]byte, 0, pcapStore), pause: min(o.PollTimeout, pcapPause)}
	r.link = linkOf(h)
	if err := r.filter(o); err != nil {
		h.Close()
		return nil, fmt.Errorf("capture on %s: %w", o.Interface, err)
	}
	return r, nil
}

// pcapError names the cause. gopacket's errors have no exported values, only
// their text.
func pcapError(name string, known bool, err error) error {
	switch text := err.Error(); {
	case strings.Contains(text, "Permission Denied"), strings.Contains(text, "-11"): // PCAP_ERROR_PROMISC_PERM_DENIED
		return privilegeError(name)
	case !known:
		return noInterfaceError(name)
	case strings.Contains(text, "Not Up"):
		return downError(name)
	}
	return fmt.Errorf("capture on %s: %w", name, err)
}

// linkOf tells the link type. gopacket keeps 8 bits of it: its 20 is Linux's
// cooked header v2, which is changed for v1 where libpcap can.
func linkOf(h *pcap.Handle) LinkType {
	link := LinkType(h.LinkType())
	if link != LinkSLL2&0xff {
		return link
	}
	if err := h.SetLinkType(layers.LinkTypeLinuxSLL); err != nil {
		return LinkSLL2
	}
	return LinkLinuxSLL
}

func (r *pcapReader) filter(o LiveOptions) error {
	if r.link == LinkNFLOG { // the rule that logs is the filter; libpcap has none
		return nil
	}
	l, ok := layoutOf(r.link)
	if !ok {
		f := filterExpression(o.Ports)
		if err := r.handle.SetBPFFilter(f); err != nil {
			return fmt.Errorf("filter %q: %w", f, err)
		}
		return nil
	}
	code, err := bpf.Assemble(filterProgram(l, o.filter()))
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	list := make([]pcap.BPFInstruction, len(code))
	for i, c := range code {
		list[i] = pcap.BPFInstruction{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	if err := r.handle.SetBPFInstructionFilter(list); err != nil {
		return fmt.Errorf("filter of %d instructions: %w", len(list), err)
	}
	return nil
}

// Shape of a batch of copies.
const (
	pcapStore = 1 << 20
	pcapAge   = 50 * time.Millisecond // of packet time: the next packet is waited for
)

// read implements reader.
func (r *pcapReader) read(batch []Packet) (n int, err error) {
	r.store = r.store[:0]
	for n < len(batch) && len(r.store) <= pcapStore/2 {
		var data []byte
		var ci gopacket.CaptureInfo
		if data, ci, err = r.handle.ZeroCopyReadPacketData(); err != nil {
			break
		}
		p := &batch[n]
		p.Time, p.Length, p.Link = ci.Timestamp.UnixNano(), max(ci.Length, len(data)), r.link
		start := len(r.store)
		r.store = append(r.store, data...)
		p.Data = r.store[start:len(r.store):len(r.store)]
		n++
		if p.Time-batch[0].Time > int64(pcapAge) {
			break
		}
	}
	if n > 0 || err == nil { // an error comes again
		return n, nil
	}
	return 0, r.failure(err)
}

// pcapPause is between two looks where libpcap tells at once that nothing is there,
// and gopacket shows no file descriptor to wait for. What the kernel holds for the
// socket (200 KB) must not fill meanwhile.
const pcapPause = 5 * time.Millisecond

// isEmpty says that nothing was there to read: for libpcap's reader of NFLOG that is a
// failure.
func isEmpty(err error) bool {
	return strings.HasSuffix(strings.ToLower(err.Error()), syscall.EAGAIN.Error())
}

func (r *pcapReader) failure(err error) error {
	switch err {
	case pcap.NextErrorTimeoutExpired:
		return ErrTimeout
	case io.EOF:
		return io.EOF
	case pcap.NextErrorReadError:
		if err = r.handle.Error(); strings.Contains(err.Error(), "interface disappeared") {
			return errUnbound
		}
		if isEmpty(err) {
			time.Sleep(r.pause)
			return ErrTimeout
		}
	}
	return fmt.Errorf("capture on %s: %w", r.name, err)
}

// counts implements reader. libpcap counts in 32 bits.
func (r *pcapReader) counts() (liveCounts, error) {
	s, err := r.handle.Stats()
	if err != nil {
		return liveCounts{}, fmt.Errorf("capture on %s: counts: %w", r.name, err)
	}
	return liveCounts{r.received.add(s.PacketsReceived), r.droppedKernel.add(s.PacketsDropped), r.droppedInterface.add(s.PacketsIfDropped)}, nil
}

// wake does nothing: a read ends with its poll timeout.
func (r *pcapReader) wake() {}

func (r *pcapReader) close() error {
	r.handle.Close()
	return nil
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

// libpcap is the version that is linked.
func libpcap() string { return "pcap (" + pcap.Version() + ")" }

func descriptions() map[string]string {
	list, err := pcap.FindAllDevs()
	if err != nil {
		return nil
	}
	out := make(map[string]string, len(list))
	for _, i := range list {
		out[i.Name] = i.Description
	}
	return out
}
