//go:build cgo

package capture

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
)

// anyDevice is Linux's name for all interfaces at once.
const anyDevice = "any"

// activate opens the handle. Immediate mode is never asked for: it wakes the
// program for each packet and costs five times the processor time.
func activate(o LiveOptions) (*pcap.Handle, error) {
	if o.Interface == "" {
		return nil, fmt.Errorf("capture: %w: no name given, there are %s", ErrNoInterface, interfaceNames())
	}
	in, err := pcap.NewInactiveHandle(o.Interface)
	if err != nil {
		return nil, openError(o.Interface, err)
	}
	defer in.CleanUp()
	// libpcap only warns that any cannot be promiscuous; gopacket takes that
	// warning for a failure.
	promiscuous := !o.NoPromiscuous && o.Interface != anyDevice
	err = errors.Join(in.SetSnapLen(o.Snaplen), in.SetBufferSize(o.BufferBytes), in.SetPromisc(promiscuous), in.SetTimeout(o.PollTimeout))
	if err != nil {
		return nil, openError(o.Interface, err)
	}
	h, err := in.Activate()
	if err != nil {
		return nil, openError(o.Interface, err)
	}
	return h, nil
}

// openError names the cause. gopacket's errors have no exported values, only
// their text.
func openError(name string, err error) error {
	switch text := err.Error(); {
	case !exists(name):
		return fmt.Errorf("capture on %s: %w, there are %s", name, ErrNoInterface, interfaceNames())
	case strings.Contains(text, "Permission Denied"), strings.Contains(text, "-11"): // PCAP_ERROR_PROMISC_PERM_DENIED
		return privilegeError(name)
	case strings.Contains(text, "Not Up"):
		return fmt.Errorf("capture on %s: %w: sudo ip link set %s up", name, ErrDown, name)
	}
	return fmt.Errorf("capture on %s: %w", name, err)
}

func exists(name string) bool {
	if name == anyDevice && runtime.GOOS == "linux" {
		return true
	}
	_, err := net.InterfaceByName(name)
	return err == nil
}

// linkOf tells the link type. gopacket keeps 8 bits of it: its 20 is Linux's
// cooked header v2, which is changed for v1 where libpcap can.
func linkOf(h *pcap.Handle) (LinkType, error) {
	link := LinkType(h.LinkType())
	if link != LinkSLL2&0xff {
		return link, nil
	}
	if err := h.SetLinkType(layers.LinkTypeLinuxSLL); err != nil {
		return LinkSLL2, nil
	}
	return LinkLinuxSLL, nil
}

func (l *Live) filter(ports []uint16) error {
	f := Filter(ports)
	if l.link != LinkEthernet {
		f = untagged(ports)
	}
	if err := l.handle.SetBPFFilter(f); err != nil {
		return fmt.Errorf("filter %q: %w", f, err)
	}
	return nil
}

func descriptions() map[string]string {
	list, err := pcap.FindAllDevs()
	if err != nil {
		return nil
	}
	out := make(map[string]string, len(list))
	for _, i := range list {
		out[i.Name] = i.Description
	}
	return out
}
