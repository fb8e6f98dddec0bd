package smtp

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// ProxyHeader is what a load balancer puts before the client's octets to tell
// whose they are (HAProxy, "The PROXY protocol", versions 1 and 2).
type ProxyHeader struct {
	Version   uint8          // 1 or 2
	Local     bool           // the proxy speaks for itself: a health check
	Source    netip.AddrPort // the client; not valid where the header names none
	Dest      netip.AddrPort // where the client connected to
	Authority string         // host name that the client asked for (PP2_TYPE_AUTHORITY)
	TLS       bool           // the proxy took TLS from the client (PP2_TYPE_SSL, PP2_CLIENT_SSL)
}

// ProxyState says what stands at the begin of a client's octets.
type ProxyState uint8

// States of a PROXY header.
const (
	ProxyNone ProxyState = iota // no PROXY header
	ProxyMore                   // the octets are too few to tell, or to read it whole
	ProxyDone                   // a header
	ProxyBad                    // begins like one and is none: receivers close the connection
)

const (
	proxyLine  = 107     // octets of a version 1 header with its CRLF (2.1)
	proxyFixed = 16      // octets of a version 2 header before the addresses (2.2)
	proxyMax   = 4 << 10 // octets of a version 2 header that are waited for; addresses and TLVs of proxies are below 3 KiB
)

const (
	proxyV1 = "PROXY "
	proxyV2 = "\r\n\r\n\x00\r\nQUIT\n" // no server takes it for a command
)

// ParseProxy reads a PROXY header at the begin of a client's stream. n is its
// length in octets; with ProxyBad too where that is told, else 0. Strings are
// copied; of TLVs only the authority and the presence of TLS are read.
func ParseProxy(b []byte) (h ProxyHeader, n int, st ProxyState) {
	switch {
	case begins(b, proxyV1):
		return parseProxy1(b)
	case begins(b, proxyV2):
		return parseProxy2(b)
	}
	return h, 0, ProxyNone
}

// begins says whether b begins with a mark, as far as b goes.
func begins(b []byte, mark string) bool {
	n := min(len(b), len(mark))
	return string(b[:n]) == mark[:n]
}

// parseProxy1 reads the line of version 1 (2.1).
func parseProxy1(b []byte) (h ProxyHeader, n int, st ProxyState) {
	i := bytes.IndexByte(b[:min(len(b), proxyLine)], '\n')
	switch {
	case i < 0 && len(b) < proxyLine:
		return h, 0, ProxyMore
	case i < 0:
		return h, 0, ProxyBad
	case b[i-1] != '\r':
		return h, i + 1, ProxyBad
	}
	n = i + 1
	family, rest, more := bytes.Cut(b[len(proxyV1):i-1], []byte{' '})
	if string(family) == "UNKNOWN" {
		return ProxyHeader{Version: 1}, n, ProxyDone // the rest of the line means nothing
	}
	six := string(family) == "TCP6"
	field := bytes.Split(rest, []byte{' '})
	if !more || !six && string(family) != "TCP4" || len(field) != 4 {
		return h, n, ProxyBad
	}
	source, ok1 := addrPort(field[0], field[2], six)
	dest, ok2 := addrPort(field[1], field[3], six)
	if !ok1 || !ok2 {
		return h, n, ProxyBad
	}
	return ProxyHeader{Version: 1, Source: source, Dest: dest}, n, ProxyDone
}

func addrPort(addr, port []byte, six bool) (netip.AddrPort, bool) {
	a, err := netip.ParseAddr(string(addr))
	if err != nil || a.Is6() != six || a.Zone() != "" {
		return netip.AddrPort{}, false
	}
	p, ok := portOf(port)
	return netip.AddrPortFrom(a, p), ok
}

// portOf reads a port without a sign or leading zeros (2.1).
func portOf(b []byte) (uint16, bool) {
	if len(b) == 0 || len(b) > 5 || b[0] == '+' || b[0] == '0' && len(b) > 1 {
		return 0, false
	}
	p, err := strconv.ParseUint(string(b), 10, 16)
	return uint16(p), err == nil
}

// parseProxy2 reads the binary header of version 2 (2.2).
func parseProxy2(b []byte) (h ProxyHeader, n int, st ProxyState) {
	if len(b) > len(proxyV2) && b[len(proxyV2)]>>4 != 2 {
		return h, 0, ProxyBad
	}
	if len(b) < proxyFixed {
		return h, 0, ProxyMore
	}
	n = proxyFixed + int(binary.BigEndian.Uint16(b[14:]))
	command, family, transport := b[12]&15, b[13]>>4, b[13]&15
	if command > 1 || family > 3 || transport > 2 || n > proxyMax {
		return h, n, ProxyBad
	}
	if len(b) < n {
		return h, 0, ProxyMore
	}
	h = ProxyHeader{Version: 2, Local: command == 0}
	rest, ok := b[proxyFixed:n], true
	if h.Local {
		return h, n, ProxyDone // what it carries must be ignored
	}
	if rest, ok = h.addresses(family, rest); !ok || !h.tlvs(rest) {
		return ProxyHeader{}, n, ProxyBad
	}
	return h, n, ProxyDone
}

// addresses reads the block of addresses; the rest is TLVs. AF_UNSPEC has
// none, and paths of AF_UNIX name no client of a mail server.
func (h *ProxyHeader) addresses(family byte, b []byte) (rest []byte, ok bool) {
	size := [...]int{0, 12, 36, 216}[family]
	if len(b) < size {
		return nil, false
	}
	switch family {
	case 1:
		h.Source = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[8:]))
		h.Dest = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:])), binary.BigEndian.Uint16(b[10:]))
	case 2:
		h.Source = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)), binary.BigEndian.Uint16(b[32:]))
		h.Dest = netip.AddrPortFrom(netip.AddrFrom16([16]byte(b[16:])), binary.BigEndian.Uint16(b[34:]))
	}
	return b[size:], true
}

// Types of TLVs that are read (2.2.1, 2.2.6).
const (
	tlvAuthority = 0x02
	tlvSSL       = 0x20
	clientSSL    = 0x01 // PP2_CLIENT_SSL
)

func (h *ProxyHeader) tlvs(b []byte) (ok bool) {
	for len(b) > 0 {
		if len(b) < 3 {
			return false
		}
		size := int(binary.BigEndian.Uint16(b[1:]))
		if len(b) < 3+size {
			return false
		}
		value := b[3 : 3+size]
		switch b[0] {
		case tlvAuthority:
			h.Authority = printable(value[:min(size, 255)])
		case tlvSSL:
			h.TLS = size > 0 && value[0]&clientSSL != 0
		}
		b = b[3+size:]
	}
	return true
}
