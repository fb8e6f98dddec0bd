package capture

import (
	"fmt"
	"slices"
	"strings"
)

// Filter is the libpcap filter that passes TCP of the ports over IPv4 and
// IPv6, untagged and behind one or two VLAN tags; no ports means all. A plain
// "tcp port 25" looks for IP at the place of an untagged frame only and loses
// every tagged one, and "vlan" moves all that stands behind it in the
// expression, hence the nesting. It passes neither IP fragments but the first
// nor TCP behind IPv6 extension headers.
func Filter(ports []uint16) string {
	f := untagged(ports)
	return fmt.Sprintf("%s or (vlan and (%s or (vlan and (%s))))", f, f, f)
}

// untagged is the filter for link layers where libpcap knows no "vlan". On
// Linux's any the kernel takes one tag off before the filter looks and libpcap
// puts it back, so single tags pass; behind two the kernel reports the wrong
// EtherType and the frame is lost: such a mirror port is captured by its name.
// Neighbouring ports are joined: the kernel takes 4096 instructions at most.
func untagged(ports []uint16) string {
	if len(ports) == 0 {
		return "tcp"
	}
	ports = slices.Compact(slices.Sorted(slices.Values(ports)))
	var terms []string
	for i := 0; i < len(ports); {
		j := i + 1
		for j < len(ports) && ports[j] == ports[j-1]+1 {
			j++
		}
		terms = append(terms, portTerm(ports[i], ports[j-1]))
		i = j
	}
	return strings.Join(terms, " or ")
}

func portTerm(first, last uint16) string {
	if first == last {
		return fmt.Sprintf("tcp port %d", first)
	}
	return fmt.Sprintf("tcp portrange %d-%d", first, last)
}
