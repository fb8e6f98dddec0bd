//go:build linux && (amd64 || arm64)

package sandbox

import (
	"encoding/binary"
	"runtime"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A service manager's own filter may refuse to give a capability up: what it would
// open is refused all the same.
func TestFilterOfSockets(t *testing.T) {
	arch := auditArchs[runtime.GOARCH]
	vm, err := bpf.NewVM(filter(arch, false)) // it loads words of the network's order
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		family, kind uint32
		allowed      bool
	}{
		{"tcp", unix.AF_INET, unix.SOCK_STREAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, true},
		{"udp over IPv6", unix.AF_INET6, unix.SOCK_DGRAM, true},
		{"unix", unix.AF_UNIX, unix.SOCK_DGRAM, true},
		{"netlink, which is raw by name", unix.AF_NETLINK, unix.SOCK_RAW | unix.SOCK_CLOEXEC, true},
		{"raw", unix.AF_INET, unix.SOCK_RAW, false},
		{"raw with flags", unix.AF_INET, unix.SOCK_RAW | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK, false},
		{"raw over IPv6", unix.AF_INET6, unix.SOCK_RAW, false},
		{"packet", unix.AF_PACKET, unix.SOCK_DGRAM, false},
	} {
		data := make([]byte, 64)
		binary.BigEndian.PutUint32(data[dataCall:], unix.SYS_SOCKET)
		binary.BigEndian.PutUint32(data[dataArch:], arch)
		binary.BigEndian.PutUint32(data[dataFirst:], c.family)
		binary.BigEndian.PutUint32(data[dataSecond:], c.kind)
		answer, err := vm.Run(data)
		if err != nil {
			t.Fatal(err)
		}
		if allowed := uint32(answer) == answerAllow; allowed != c.allowed {
			t.Errorf("%s: allowed %v, answer %#x", c.name, allowed, answer)
		}
	}
}
