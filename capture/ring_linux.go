package capture

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring reads a packet socket through memory that it shares with the kernel
// (TPACKET_V3, Documentation/networking/packet_mmap.rst). A block belongs to
// the kernel until it is full or the retire timeout is over, then to us until
// it is given back.
type ring struct {
	name    string
	fd      int
	wakes   int // eventfd: the capture is to end
	memory  []byte
	size    int // of a block
	current int // the block that comes next, or is held
	held    bool
	block   block
	cooked  bool
	timeout int             // of a poll, milliseconds
	full    int             // how much of the ring waited when the block was taken, percent
	promisc unix.PacketMreq // zero where the mode was not asked for

	counting sync.Mutex // of what follows
	packets  uint64
	drops    uint64
	device   deviceDrops
}

// read implements reader. A call gives packets of one block.
func (r *ring) read(batch []Packet) (int, error) {
	if r.held && r.block.left == 0 {
		r.release()
	}
	if !r.held {
		if err := r.await(); err != nil {
			return 0, err
		}
	}
	if r.block.left == 0 {
		r.release()
		return 0, ErrTimeout
	}
	n := min(len(batch), int(r.block.left))
	for i := range n {
		if err := r.block.next(&batch[i]); err != nil {
			return 0, fmt.Errorf("capture on %s: %w", r.name, err)
		}
	}
	return n, nil
}

// status is the word that says whose the current block is.
func (r *ring) status() *uint32 { return r.statusOf(r.current) }

func (r *ring) statusOf(block int) *uint32 {
	return (*uint32)(unsafe.Pointer(&r.memory[block*r.size+blockStatus]))
}

func (r *ring) release() {
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	r.current = (r.current + 1) % (len(r.memory) / r.size)
	r.held = false
}

// take holds the current block if it is ours.
func (r *ring) take() bool {
	if atomic.LoadUint32(r.status())&unix.TP_STATUS_USER == 0 {
		return false
	}
	r.block, r.held = newBlock(r.memory[r.current*r.size:][:r.size:r.size], r.cooked), true
	r.full = r.look()
	return true
}

// looks is at how many blocks behind the current one it is seen how full the ring
// is. Fewer blocks are too coarse to tell.
const looks = 16

// look says how much of the ring waits, in percent. The kernel fills one block after
// the other.
func (r *ring) look() int {
	blocks, n := len(r.memory)/r.size, 0
	if blocks <= looks {
		return 0
	}
	for i := range looks {
		at := (r.current + 1 + i*(blocks-1)/looks) % blocks
		if atomic.LoadUint32(r.statusOf(at))&unix.TP_STATUS_USER != 0 {
			n++
		}
	}
	return n * 100 / looks
}

// waiting implements backlogged.
func (r *ring) waiting() int { return r.full }

// await waits for a block. The socket's error is told once by the kernel.
func (r *ring) await() error {
	if r.take() {
		return nil
	}
	wait := [...]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}, {Fd: int32(r.wakes), Events: unix.POLLIN}}
	switch _, err := unix.Poll(wait[:], r.timeout); {
	case err != nil && err != unix.EINTR:
		return fmt.Errorf("capture on %s: poll: %w", r.name, err)
	case wait[0].Revents&(unix.POLLERR|unix.POLLNVAL) != 0:
		return r.failure()
	case r.take():
		return nil
	}
	return ErrTimeout
}

func (r *ring) failure() error {
	code, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err == nil && code == 0:
		return ErrTimeout
	case err == nil:
		err = unix.Errno(code)
	}
	if err == unix.ENETDOWN {
		return errWentDown
	}
	return fmt.Errorf("capture on %s: %w", r.name, err)
}

// counts implements reader. The kernel begins anew at each question, and
// counts those that it dropped among the received.
func (r *ring) counts() (liveCounts, error) {
	r.counting.Lock()
	defer r.counting.Unlock()
	s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return liveCounts{}, fmt.Errorf("capture on %s: counts: %w", r.name, err)
	}
	r.packets += uint64(s.Packets)
	r.drops += uint64(s.Drops)
	return liveCounts{r.packets, r.drops, r.device.count()}, nil
}

// wake ends a read that waits, in another goroutine.
func (r *ring) wake() {
	one := [8]byte{1}
	_, _ = unix.Write(r.wakes, one[:])
}

// bound implements binding: a socket whose interface was unregistered has the index
// -1.
func (r *ring) bound(index int) bool {
	address, err := unix.Getsockname(r.fd)
	if err != nil {
		return true
	}
	link, ok := address.(*unix.SockaddrLinklayer)
	return !ok || link.Ifindex == index
}

// leave ends promiscuous mode. A socket that is closed while its interface moves to
// another namespace is no longer told of that, and leaves the mode on for ever.
func (r *ring) leave() {
	if r.promisc.Ifindex != 0 {
		_ = unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_DROP_MEMBERSHIP, &r.promisc) // the kernel may have done it
	}
}

func (r *ring) close() error {
	r.leave()
	var errs []error
	if r.memory != nil {
		errs = append(errs, unix.Munmap(r.memory))
		r.memory = nil
	}
	if r.wakes >= 0 {
		errs = append(errs, unix.Close(r.wakes))
	}
	return errors.Join(append(errs, unix.Close(r.fd))...)
}
