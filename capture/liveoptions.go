package capture

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// LiveOptions says what to capture. Its zero value but for Interface works.
type LiveOptions struct {
	Interface     string        // eth1, or any
	Ports         []uint16      // TCP ports to pass; default all
	Snaplen       int           // bytes kept of a frame; default 262144
	BufferBytes   int           // of the kernel's ring; default 64 MiB. A small one loses packets while the program is busy
	NoPromiscuous bool          // leave out frames that are not for this host; a mirror port needs promiscuous mode
	PollTimeout   time.Duration // longest wait of Next; default 100 ms, rounded up to 1 ms
}

func (o LiveOptions) withDefaults() LiveOptions {
	if o.Snaplen <= 0 {
		o.Snaplen = 262144
	}
	if o.BufferBytes <= 0 {
		o.BufferBytes = 64 << 20
	}
	if o.PollTimeout <= 0 {
		o.PollTimeout = 100 * time.Millisecond
	}
	return o
}

// ErrTimeout is what Live.Next returns when no packet came within the poll
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
	return fmt.Errorf("capture on %s: %w: run as root, or once: sudo setcap cap_net_raw+ep %s", name, ErrPrivilege, program)
}
