package capture

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
)

// InterfaceInfo is one interface of this machine.
type InterfaceInfo struct {
	Name        string
	Description string         // as libpcap has it, mostly empty
	Addresses   []netip.Prefix // with their networks' lengths
	Up          bool
	Loopback    bool
	Problem     error // why OpenLive would fail (ErrDown, ErrPrivilege, ErrNoLive), nil where it would not
}

// Interfaces lists what can be captured here, any included where the system
// has it. It needs no privilege.
func Interfaces() ([]InterfaceInfo, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("interfaces: %w", err)
	}
	about := descriptions()
	var out []InterfaceInfo
	for _, i := range list {
		out = append(out, InterfaceInfo{
			Name:        i.Name,
			Description: about[i.Name],
			Addresses:   prefixes(i),
			Up:          i.Flags&net.FlagUp != 0,
			Loopback:    i.Flags&net.FlagLoopback != 0,
		})
	}
	if runtime.GOOS == "linux" {
		out = append(out, InterfaceInfo{Name: "any", Description: about["any"], Up: true})
	}
	judge(out)
	return out, nil
}

// judge opens interfaces that are up until one opens or the answer holds for
// all: each open is a ring to be set up and taken down, and a machine may have
// hundreds of interfaces.
func judge(list []InterfaceInfo) {
	settled := false
	var all error // ErrPrivilege, ErrNoLive, or nil
	for n := range list {
		i := &list[n]
		switch {
		case !i.Up:
			i.Problem = fmt.Errorf("capture on %s: %w", i.Name, ErrDown)
		case !settled:
			i.Problem = try(i.Name)
			all = shared(i.Problem)
			settled = i.Problem == nil || all != nil
		case all == ErrPrivilege:
			i.Problem = privilegeError(i.Name)
		default:
			i.Problem = all
		}
	}
}

// shared tells which cause a problem has in common with all interfaces.
func shared(problem error) error {
	for _, cause := range []error{ErrPrivilege, ErrNoLive} {
		if errors.Is(problem, cause) {
			return cause
		}
	}
	return nil
}

func try(name string) error {
	l, err := OpenLive(LiveOptions{Interface: name, NoPromiscuous: true, BufferBytes: 128 << 10})
	if err != nil {
		return err
	}
	return l.Close()
}

func prefixes(i net.Interface) []netip.Prefix {
	addrs, err := i.Addrs()
	if err != nil {
		return nil // gone meanwhile
	}
	var out []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// interfaceNames is for errors: a machine of containers has hundreds.
func interfaceNames() string {
	list, err := net.Interfaces()
	if err != nil || len(list) == 0 {
		return "none"
	}
	const most = 16
	var names []string
	for n, i := range list {
		if n == most {
			names = append(names, fmt.Sprintf("and %d more", len(list)-most))
			break
		}
		names = append(names, i.Name)
	}
	return strings.Join(names, ", ")
}
