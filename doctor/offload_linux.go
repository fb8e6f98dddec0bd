package doctor

import (
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Commands and flags of ethtool (include/uapi/linux/ethtool.h).
const (
	ethtoolRing  = 0x10 // ETHTOOL_GRINGPARAM
	ethtoolFlags = 0x25 // ETHTOOL_GFLAGS
	ethtoolGSO   = 0x23 // ETHTOOL_GGSO
	ethtoolGRO   = 0x2b // ETHTOOL_GGRO
	ethtoolTSO   = 0x1e // ETHTOOL_GTSO
	flagLRO      = 1 << 15
	flagRxVLAN   = 1 << 8
)

// ethtool asks the driver; words begins with the command.
func ethtool(name string, words []uint32) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var request struct { // struct ifreq
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	request.data = unsafe.Pointer(&words[0])
	if _, _, failed := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); failed != 0 {
		return failed
	}
	return nil
}

func (d device) asks(command uint32) uint32 {
	words := []uint32{command, 0}
	if ethtool(d.Name, words) != nil {
		return 0
	}
	return words[1]
}

// offloads says what the card joins or cuts, and how many frames it holds.
func (d device) offloads() []Finding {
	flags := d.asks(ethtoolFlags)
	var on []string
	for _, o := range []struct {
		name string
		on   bool
	}{
		{"GRO", d.asks(ethtoolGRO) != 0}, {"LRO", flags&flagLRO != 0}, {"TSO", d.asks(ethtoolTSO) != 0},
		{"GSO", d.asks(ethtoolGSO) != 0}, {"rxvlan", flags&flagRxVLAN != 0},
	} {
		if o.on {
			on = append(on, o.name)
		}
	}
	if len(on) == 0 {
		on = []string{"none"}
	}
	f := ok("offloads", d.Name, "%s", strings.Join(on, ", ")).meaning("mailtap reads joined frames (GRO, LRO, TSO) and tags that the card took off")
	if flags&flagLRO != 0 {
		f = f.as(Note, "LRO joins frames and forgets their times and bounds; mailtap reads them, the times of replies get coarser", "ethtool -K "+d.Name+" lro off")
	}
	return append([]Finding{f}, d.ring()...)
}

// ring is the card's own buffer; virtual interfaces have none.
func (d device) ring() []Finding {
	var words [9]uint32 // struct ethtool_ringparam: cmd, four maxima, four values
	words[0] = ethtoolRing
	if ethtool(d.Name, words[:]) != nil || words[1] == 0 {
		return nil
	}
	f := ok("ring", d.Name, "the card holds %d frames of %d at most", words[5], words[1])
	if words[5] < words[1]/2 {
		f = f.as(Note, "a burst may find no room in the card", fmt.Sprintf("ethtool -G %s rx %d", d.Name, words[1]))
	}
	return []Finding{f}
}
