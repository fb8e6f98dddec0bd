package packet

import "encoding/binary"

const udpHeader = 8

// TunnelPort says which tunnel a UDP port carries: TunnelVXLAN,
// TunnelVXLANGPE, TunnelGeneve, TunnelGTP, TunnelTeredo or TunnelL2TP.
type TunnelPort struct {
	Port uint16
	Kind TunnelKind
}

// defaultTunnelPorts are the assigned ports (IANA service names registry), and
// the one that Linux took for VXLAN before there was any.
var defaultTunnelPorts = [...]TunnelPort{
	{4789, TunnelVXLAN},
	{8472, TunnelVXLAN},
	{4790, TunnelVXLANGPE},
	{6081, TunnelGeneve},
	{2152, TunnelGTP},
	{3544, TunnelTeredo},
	{1701, TunnelL2TP},
}

// udp reads a UDP header (RFC 768) on its way into a tunnel. Where its length
// lies, the IP header inside tells better.
func (d *Decoder) udp(c *cursor) Reason {
	if len(c.data) < udpHeader {
		return c.lacks(udpHeader, NotTCP)
	}
	next := d.tunnelIn(c.data)
	if next == nothing {
		return NotTCP
	}
	length := int(binary.BigEndian.Uint16(c.data[4:]))
	if length != 0 && length < udpHeader { // 0 is of a jumbogram (RFC 2675, 4), or offloaded
		return BadTunnel
	}
	if length != 0 && length < c.wire {
		c.trim(length)
	}
	c.consume(udpHeader)
	c.next = next
	return OK
}

// tunnelIn says which tunnel the ports of a UDP header stand for.
func (d *Decoder) tunnelIn(header []byte) kind {
	src, dst := binary.BigEndian.Uint16(header), binary.BigEndian.Uint16(header[2:])
	ports := d.TunnelPorts
	if ports == nil {
		ports = defaultTunnelPorts[:]
	}
	for _, t := range ports {
		if t.Port != dst && t.Port != src {
			continue
		}
		if k, bothWays := t.Kind.inUDP(); t.Port == dst || bothWays {
			return k
		}
	}
	return nothing
}

// inUDP gives the header of a tunnel over UDP, and whether an answer comes
// from the port that was asked. Where not, a source port is chosen freely.
func (k TunnelKind) inUDP() (header kind, bothWays bool) {
	switch k {
	case TunnelVXLAN:
		return vxlan, false
	case TunnelVXLANGPE:
		return vxlanGPE, false
	case TunnelGeneve:
		return geneve, false
	case TunnelGTP:
		return gtp, false
	case TunnelTeredo:
		return teredo, true
	case TunnelL2TP:
		return l2tp, true
	}
	return nothing, false
}
