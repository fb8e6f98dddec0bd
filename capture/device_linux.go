package capture

import (
	"golang.org/x/sys/unix"
)

// anyDevice is Linux's name for all interfaces at once.
const anyDevice = "any"

// device is an interface as the system has it now. index 0 is all of them.
type device struct {
	index    int
	hardware uint16 // ARPHRD
	up       bool
}

// system asks about interfaces, of the network namespace that it was opened in.
type system struct{ fd int }

func openSystem() (system, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	return system{fd}, err
}

func (s system) close() error { return unix.Close(s.fd) }

// find looks an interface up; ok is false where there is none of that name.
func (s system) find(name string) (d device, ok bool) {
	if name == anyDevice {
		return device{up: true}, true
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return d, false
	}
	if unix.IoctlIfreq(s.fd, unix.SIOCGIFINDEX, request) != nil {
		return d, false
	}
	d.index = int(request.Uint32())
	if unix.IoctlIfreq(s.fd, unix.SIOCGIFHWADDR, request) != nil {
		return d, false
	}
	d.hardware = request.Uint16()
	if unix.IoctlIfreq(s.fd, unix.SIOCGIFFLAGS, request) != nil {
		return d, false
	}
	d.up = request.Uint16()&unix.IFF_UP != 0
	return d, true
}

// ringFits says whether the ring takes the interface: frames in the air have
// headers that libpcap knows and mail does not come by.
func (d device) ringFits() bool {
	return d.hardware < unix.ARPHRD_IEEE80211 || d.hardware > unix.ARPHRD_IEEE80211_RADIOTAP
}
