package packet

import "encoding/binary"

// EtherTypes that lead on (IEEE 802 numbers registry).
const (
	etherIPv4  = 0x0800
	etherIPv6  = 0x86dd
	etherVLAN  = 0x8100 // IEEE 802.1Q customer tag
	etherQinQ  = 0x88a8 // IEEE 802.1Q service tag
	etherQinQ0 = 0x9100 // the service tag before it was standard, of most makers
	etherQinQ2 = 0x9200 // of others
	etherQinQ3 = 0x9300
	etherMPLS  = 0x8847
	etherMPLSM = 0x8848 // of multicast, or of a label that the far end chose (RFC 5332)
	etherPPPoE = 0x8864 // session; discovery has its own
	etherPBB   = 0x88e7 // IEEE 802.1ah service instance tag

	etherBridged = 0x6558 // a whole Ethernet frame, in tunnels
	etherERSPAN  = 0x88be // in GRE alone
	etherERSPAN3 = 0x22eb
)

const ethernetHeader = 14

// minPayload is what Ethernet pads a payload to (IEEE 802.3, 3.2.8): no more
// than this can be padding.
const minPayload = 46

// ethernet reads an Ethernet II header. A type below 0x0600 is the length of
// an IEEE 802.3 frame and falls to not_ip: no IP of a mail server is in LLC.
func (c *cursor) ethernet() Reason {
	if len(c.data) < ethernetHeader {
		return c.lacks(ethernetHeader, BadLinkHeader)
	}
	r := c.etherType(binary.BigEndian.Uint16(c.data[12:]))
	c.consume(ethernetHeader)
	return r
}

// etherType says what an EtherType leads to, wherever it stands.
func (c *cursor) etherType(t uint16) Reason {
	switch t {
	case etherIPv4:
		c.next = ipv4
	case etherIPv6:
		c.next = ipv6
	case etherVLAN, etherQinQ, etherQinQ0, etherQinQ2, etherQinQ3:
		c.next = vlanTag
	case etherMPLS, etherMPLSM:
		c.next = mpls
	case etherPPPoE:
		c.next = pppoe
	case etherPBB:
		c.next = pbb
	case etherBridged:
		c.next = linkEthernet
	default:
		return NotIP
	}
	return OK
}
