package capture

import (
	"fmt"
	"sync"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// group is the sockets that share an interface's packets (PACKET_FANOUT). The
// kernel numbers them in the order in which they joined, so they join in the
// order of their shards; where the interface was made anew, after all have left.
type group struct {
	shards int

	mu     sync.Mutex
	id     int
	joined int
	index  int  // of the interface; who sees first that it was made anew must not join those of the old one
	old    bool // it came back, maybe under its number: all who joined are to leave first
}

// member is one socket's part in a group; nil is a socket alone.
type member struct {
	group *group
	shard int
	in    bool
}

// members makes a group of n, none where the socket is alone.
func members(n int) []*member {
	if n == 1 {
		return []*member{nil}
	}
	g := &group{shards: n}
	out := make([]*member, n)
	for i := range out {
		out[i] = &member{group: g, shard: i}
	}
	return out
}

// first says whether the member speaks for the interface.
func (m *member) first() bool { return m == nil || m.shard == 0 }

// uniqueGroup has the kernel choose a number that nobody has.
const uniqueGroup = unix.PACKET_FANOUT_FLAG_UNIQUEID << 16

// next says whether those before have joined, and on the same interface.
func (m *member) next(index int) bool {
	if m == nil {
		return true
	}
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	return m.group.next(m.shard, index)
}

// next is asked with mu held.
func (g *group) next(shard, index int) bool {
	return !g.old && g.joined == shard && (shard == 0 || g.index == index)
}

func (m *member) join(fd, index int) error {
	if m == nil {
		return nil
	}
	g := m.group
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.next(m.shard, index) {
		return errNotYet
	}
	how := unix.PACKET_FANOUT_CBPF<<16 | g.id
	if m.shard == 0 {
		how = unix.PACKET_FANOUT_CBPF<<16 | uniqueGroup
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT, how); err != nil {
		return fmt.Errorf("fan-out: %w", err)
	}
	if m.shard == 0 {
		if err := g.begin(fd); err != nil {
			return err
		}
	}
	m.in, g.index = true, index
	g.joined++
	return nil
}

// begin learns the group's number and says how packets are given out.
func (g *group) begin(fd int) error {
	v, err := unix.GetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return fmt.Errorf("fan-out: %w", err)
	}
	g.id = v & 0xffff
	code, err := bpf.Assemble(fanoutProgram(g.shards))
	if err != nil {
		return fmt.Errorf("fan-out: %w", err)
	}
	if err := setProgram(fd, unix.SOL_PACKET, unix.PACKET_FANOUT_DATA, code); err != nil {
		return fmt.Errorf("fan-out program: %w", err)
	}
	return nil
}

// forsake tells that the interface was taken from those who joined.
func (m *member) forsake() {
	if m == nil || !m.in {
		return
	}
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	m.group.old = true
}

// leave tells that the socket was closed.
func (m *member) leave() {
	if m == nil || !m.in {
		return
	}
	m.group.mu.Lock()
	defer m.group.mu.Unlock()
	m.in = false
	if m.group.joined--; m.group.joined == 0 {
		m.group.old = false
	}
}
