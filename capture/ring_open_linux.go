package capture

import (
	"fmt"
	"os"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// minFrame is what the kernel reckons rings in; packets of version 3 lie in
// blocks one behind the other, however long they are.
const minFrame = 2048

const maxRing = 1 << 31

// openRing begins to capture on an interface; it may be down.
func openRing(o LiveOptions, i device, m *member, sockets *spares) (reader, error) {
	if !m.next(i.index) { // before a socket is taken: spares are few
		return nil, errNotYet
	}
	r := &ring{name: o.Interface, wakes: -1, cooked: i.cooked(), timeout: max(1, int(o.PollTimeout.Milliseconds()))}
	var err error
	if r.fd, err = sockets.socket(kindOf(i)); err != nil {
		if err == unix.EPERM || err == unix.EACCES {
			return nil, privilegeError(o.Interface)
		}
		return nil, fmt.Errorf("capture on %s: packet socket: %w", o.Interface, err)
	}
	err = r.setUp(o, i)
	if err == nil {
		err = m.join(r.fd, i.index)
	}
	if err != nil {
		r.close()
		return nil, fmt.Errorf("capture on %s: %w", o.Interface, err)
	}
	if i.index != 0 && m.first() {
		r.device = newDeviceDrops(o.Interface)
	}
	return r, nil
}

func (r *ring) setUp(o LiveOptions, i device) (err error) {
	if r.wakes, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	if err = r.share(o); err != nil {
		return err
	}
	if err = r.filter(o); err != nil {
		return err
	}
	if !o.NoPromiscuous && i.index != 0 {
		want := unix.PacketMreq{Ifindex: int32(i.index), Type: unix.PACKET_MR_PROMISC}
		if err = unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &want); err != nil {
			return fmt.Errorf("promiscuous mode: %w", err)
		}
		r.promisc = want
	}
	err = unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: bigEndian16(unix.ETH_P_ALL), Ifindex: i.index})
	if err == unix.ENODEV || err == unix.ENXIO {
		return ErrNoInterface
	} else if err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// share asks for the ring and maps it.
func (r *ring) share(o LiveOptions) error {
	page := os.Getpagesize()
	r.size = min(o.BlockBytes, o.BufferBytes/2) / page * page
	if r.size == 0 {
		return fmt.Errorf("blocks of %d octets in a ring of %d: a block is a page of %d at least", o.BlockBytes, o.BufferBytes, page)
	}
	blocks := o.BufferBytes / r.size
	if blocks > maxRing/r.size {
		return fmt.Errorf("ring of %d octets: the kernel counts in 32 bits", blocks*r.size)
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("TPACKET_V3: %w", err)
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, headroom); err != nil {
		return fmt.Errorf("room before packets: %w", err)
	}
	want := unix.TpacketReq3{
		Block_size: uint32(r.size), Block_nr: uint32(blocks), Frame_size: minFrame, Frame_nr: uint32(blocks * (r.size / minFrame)),
		Retire_blk_tov: uint32(max(1, retireAfter(o.PollTimeout).Milliseconds())),
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &want); err != nil {
		return fmt.Errorf("ring of %d octets: %w", blocks*r.size, err)
	}
	memory, err := unix.Mmap(r.fd, 0, blocks*r.size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mapping a ring of %d octets: %w", blocks*r.size, err)
	}
	r.memory = memory
	return nil
}

func (r *ring) filter(o LiveOptions) error {
	l, _ := layoutOf(LinkEthernet)
	if r.cooked {
		l = kernelLayout
	}
	code, err := bpf.Assemble(append(stopLooped(), filterProgram(l, o.filter())...))
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	if err := setProgram(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, code); err != nil {
		return fmt.Errorf("filter of %d instructions: %w", len(code), err)
	}
	return nil
}

// stopLooped stops what goes out on a loopback interface: it comes in again.
func stopLooped() []bpf.Instruction {
	return []bpf.Instruction{
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: packetOutgoing, SkipTrue: 3},
		bpf.LoadExtension{Num: bpf.ExtLinkLayerType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.ARPHRD_LOOPBACK, SkipTrue: 1},
		bpf.RetConstant{},
	}
}

func setProgram(fd, level, option int, code []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(code))
	for i, c := range code {
		filter[i] = unix.SockFilter{Code: c.Op, Jt: c.Jt, Jf: c.Jf, K: c.K}
	}
	return unix.SetsockoptSockFprog(fd, level, option, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

func bigEndian16(v uint16) uint16 {
	return u16([]byte{byte(v >> 8), byte(v)})
}

// cooked says whether link headers are left to the kernel: what is not
// Ethernet is of many shapes, and the kernel knows where the network header is.
func (d device) cooked() bool {
	return d.index == 0 || d.hardware != unix.ARPHRD_ETHER && d.hardware != unix.ARPHRD_LOOPBACK
}
