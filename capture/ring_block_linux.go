package capture

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// A block of the ring as the kernel fills it: struct tpacket_block_desc, and
// packets that each begin with struct tpacket3_hdr, behind it struct
// sockaddr_ll (linux/if_packet.h). Places are octets from their beginning.
const (
	blockStatus  = 8
	blockPackets = 12
	blockFirst   = 16
	blockHeader  = 48

	packetNext     = 0
	packetSeconds  = 4
	packetNanos    = 8
	packetCaptured = 12
	packetLength   = 16
	packetStatus   = 20
	packetMAC      = 24
	packetTCI      = 32
	packetTPID     = 36
	packetAddress  = 48

	addressProtocol = packetAddress + 2
	addressIndex    = packetAddress + 4
	addressHardware = packetAddress + 8
	addressType     = packetAddress + 10
	addressLength   = packetAddress + 11
	addressOctets   = packetAddress + 12
	packetHeader    = packetAddress + unix.SizeofSockaddrLinklayer
)

// errBlock is for what no kernel writes; still its numbers are not believed.
var errBlock = errors.New("a block of the ring is at odds with itself")

const (
	vlanTag       = 4
	macAddresses  = 12
	ethernetSize  = 14
	cookedSize    = 20 // LINKTYPE_LINUX_SLL2
	headroom      = cookedSize + vlanTag
	linkAddressSz = 8
)

// block walks the packets of one block where they lie. What Linux took off a
// packet is put back in the room before it: a VLAN tag, or where the socket
// gives no link headers, a cooked one.
type block struct {
	data   []byte
	at     uint64 // place of the next packet; never back, whatever the kernel says
	left   uint32 // packets from there on
	cooked bool
}

func newBlock(data []byte, cooked bool) block {
	if len(data) < blockHeader {
		return block{}
	}
	return block{data: data, at: uint64(u32(data[blockFirst:])), left: u32(data[blockPackets:]), cooked: cooked}
}

// next reads one packet; there must be one left.
func (b *block) next(p *Packet) error {
	size := uint64(len(b.data))
	if b.at+packetHeader > size {
		return errBlock
	}
	h := b.data[b.at:]
	mac, captured := uint64(u16(h[packetMAC:])), uint64(u32(h[packetCaptured:]))
	next := uint64(u32(h[packetNext:]))
	if mac < packetHeader+headroom || b.at+mac+captured > size || b.left > 1 && next < packetHeader {
		return errBlock
	}
	p.Time = int64(u32(h[packetSeconds:]))*1e9 + int64(u32(h[packetNanos:]))
	p.Length = int(max(u32(h[packetLength:]), u32(h[packetCaptured:])))
	var grown int
	if b.cooked {
		p.Link, grown = LinkSLL2, cook(h[:mac+captured], int(mac), p.Length)
	} else {
		p.Link, grown = LinkEthernet, retag(h[:mac+captured], int(mac))
	}
	p.Data = h[int(mac)-grown : mac+captured : mac+captured]
	p.Length += grown
	b.at += next
	b.left--
	return nil
}

// tagOf gives the tag that the kernel or the card took off.
func tagOf(h []byte) (tpid, tci uint16, ok bool) {
	status := u32(h[packetStatus:])
	if status&unix.TP_STATUS_VLAN_VALID == 0 {
		return 0, 0, false
	}
	tpid = etherVLAN
	if status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = u16(h[packetTPID:])
	}
	return tpid, uint16(u32(h[packetTCI:])), true
}

// retag puts a tag behind the addresses of an Ethernet frame, which move
// forward into the room before it. It returns by how much the frame grew.
func retag(h []byte, mac int) int {
	tpid, tci, ok := tagOf(h)
	if !ok || len(h) < mac+ethernetSize {
		return 0
	}
	copy(h[mac-vlanTag:], h[mac:mac+macAddresses])
	tag := h[mac-vlanTag+macAddresses:]
	binary.BigEndian.PutUint16(tag, tpid)
	binary.BigEndian.PutUint16(tag[2:], tci)
	return vlanTag
}

// cook writes LINKTYPE_LINUX_SLL2 (https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html)
// from the packet's address to where its data begins, and a tag behind it.
func cook(h []byte, mac, length int) int {
	protocol := binary.BigEndian.Uint16(h[addressProtocol:])
	size := cookedSize
	out := h[mac-size:]
	if tpid, tci, ok := tagOf(h); ok {
		size += vlanTag
		out = h[mac-size:]
		if tagLies(h[mac:], protocol, length) {
			protocol = etherVLAN
		}
		binary.BigEndian.PutUint16(out[cookedSize:], tci)
		binary.BigEndian.PutUint16(out[cookedSize+2:], protocol)
		protocol = tpid
	}
	binary.BigEndian.PutUint16(out, protocol)
	binary.BigEndian.PutUint16(out[2:], 0)
	binary.BigEndian.PutUint32(out[4:], u32(h[addressIndex:]))
	binary.BigEndian.PutUint16(out[8:], u16(h[addressHardware:]))
	out[10], out[11] = h[addressType], h[addressLength]
	copy(out[12:cookedSize], h[addressOctets:addressOctets+linkAddressSz])
	return size
}

// The kernel writes in the machine's own order.
func u16(b []byte) uint16 { return binary.NativeEndian.Uint16(b) }
func u32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
