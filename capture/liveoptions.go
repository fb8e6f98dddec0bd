package capture

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// Method is how packets are taken from the system.
type Method string

// The methods. MethodAuto takes the ring where there is one, else libpcap.
const (
	MethodAuto Method = "auto"
	MethodRing Method = "ring" // AF_PACKET with TPACKET_V3, Linux
	MethodPcap Method = "pcap" // libpcap, which must be linked
)

// LiveOptions says what to capture. Its zero value but for Interface works.
type LiveOptions struct {
	Interface     string        // eth1, or any
	Method        Method        // default MethodAuto
	Ports         []uint16      // TCP ports to pass; default all
	NoTunnels     bool          // stop encapsulations (MPLS, PPPoE, GRE, IP in IP, UDP of TunnelPorts), which else pass whole
	TunnelPorts   []uint16      // UDP ports of tunnels; default those that packet.Decoder reads
	Snaplen       int           // octets kept of a frame; default 262144
	BufferBytes   int           // of the kernel's ring, for all shards together; default 64 MiB. A small one loses packets while the program is busy
	BlockBytes    int           // of the ring that are handed over at once; default 1 MiB, at most half of the ring
	NoPromiscuous bool          // leave out frames that are not for this host; a mirror port needs promiscuous mode
	Spares        int           // sockets opened in advance: so often an interface that is made anew can be opened after the privilege is given up (ring only)
	PollTimeout   time.Duration // longest wait of NextBatch; default 100 ms, rounded up to 1 ms. A packet waits half of it in the ring at most
}

func (o LiveOptions) withDefaults() LiveOptions {
	if o.Method == "" {
		o.Method = MethodAuto
	}
	if o.Snaplen <= 0 {
		o.Snaplen = 262144
	}
	if o.BufferBytes <= 0 {
		o.BufferBytes = 64 << 20
	}
	if o.BlockBytes <= 0 {
		o.BlockBytes = 1 << 20
	}
	if o.PollTimeout <= 0 {
		o.PollTimeout = 100 * time.Millisecond
	}
	if o.TunnelPorts == nil {
		o.TunnelPorts = assignedTunnelPorts[:]
	}
	return o
}

func (o LiveOptions) filter() filterOptions {
	return filterOptions{ports: o.Ports, tunnels: !o.NoTunnels, tunnelPorts: o.TunnelPorts, snaplen: o.Snaplen}
}

// ErrTimeout is what NextBatch returns when no packet came within the poll
// timeout: the caller may advance time and look whether to stop.
var ErrTimeout = errors.New("no packet within the poll timeout")

// Why an interface cannot be opened. Errors of OpenLive wrap them.
var (
	ErrNoInterface = errors.New("no such interface")
	ErrPrivilege   = errors.New("missing privilege cap_net_raw")
	ErrDown        = errors.New("interface is down")
	ErrNoLive      = errors.New("this program was built without live capture")
)

// privilegeError names the exact remedy. cap_net_raw is all that is needed:
// Linux lets a packet socket ask for promiscuous mode without cap_net_admin.
func privilegeError(name string) error {
	program, err := os.Executable()
	if err != nil {
		program = "mailtap"
	}
	return fmt.Errorf("capture on %s: %w: give it once: sudo setcap cap_net_raw+ep %s", name, ErrPrivilege, program)
}

func noInterfaceError(name string) error {
	if name == "" {
		return fmt.Errorf("capture: %w: no name given, there are %s", ErrNoInterface, interfaceNames())
	}
	return fmt.Errorf("capture on %s: %w, there are %s", name, ErrNoInterface, interfaceNames())
}

func downError(name string) error {
	return fmt.Errorf("capture on %s: %w: sudo ip link set %s up", name, ErrDown, name)
}
