//go:build !linux

package capture

import (
	"fmt"
	"net"
)

// anyDevice is a name that no interface has here.
const anyDevice = ""

// device is an interface as the system has it now.
type device struct {
	index int
	up    bool
}

func (d device) ringFits() bool { return false }

// system asks about interfaces.
type system struct{}

func openSystem() (system, error) { return system{}, nil }
func (system) close() error       { return nil }

func (system) find(name string) (d device, ok bool) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return d, false
	}
	return device{index: i.Index, up: i.Flags&net.FlagUp != 0}, true
}

// member is a socket's part in a group of them, which are Linux's.
type member struct{}

func members(int) []*member { return []*member{nil} }

func (*member) forsake() {}
func (*member) leave()   {}

// spares are packet sockets, which are Linux's.
type spares struct{}

func (*spares) fill(int, device) error { return nil }
func (*spares) close()                 {}

func openRing(o LiveOptions, _ device, _ *member, _ *spares) (reader, error) {
	return nil, fmt.Errorf("capture on %s: method %s is Linux's", o.Interface, MethodRing)
}
