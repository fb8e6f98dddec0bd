package capture

import (
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// framed is a packet as the kernel lays it into a block.
type framed struct {
	status    uint32
	tci, tpid uint16
	protocol  uint16
	data      string
	length    int
}

const framedMAC = packetHeader + headroom + 14

func blockOf(packets ...framed) []byte {
	b := make([]byte, blockHeader)
	binary.NativeEndian.PutUint32(b[blockPackets:], uint32(len(packets)))
	binary.NativeEndian.PutUint32(b[blockFirst:], blockHeader)
	for _, p := range packets {
		h := make([]byte, framedMAC+(len(p.data)+15)/16*16)
		binary.NativeEndian.PutUint32(h[packetNext:], uint32(len(h)))
		binary.NativeEndian.PutUint32(h[packetSeconds:], 7)
		binary.NativeEndian.PutUint32(h[packetNanos:], 9)
		binary.NativeEndian.PutUint32(h[packetCaptured:], uint32(len(p.data)))
		binary.NativeEndian.PutUint32(h[packetLength:], uint32(p.length))
		binary.NativeEndian.PutUint32(h[packetStatus:], p.status)
		binary.NativeEndian.PutUint16(h[packetMAC:], framedMAC)
		binary.NativeEndian.PutUint32(h[packetTCI:], uint32(p.tci))
		binary.NativeEndian.PutUint16(h[packetTPID:], p.tpid)
		binary.BigEndian.PutUint16(h[addressProtocol:], p.protocol)
		binary.NativeEndian.PutUint32(h[addressIndex:], 3)
		binary.NativeEndian.PutUint16(h[addressHardware:], unix.ARPHRD_ETHER)
		h[addressType], h[addressLength] = 4, 6
		copy(h[addressOctets:], "\x02\x00\x00\x00\x00\x01\xff\xff")
		copy(h[framedMAC:], p.data)
		b = append(b, h...)
	}
	return b
}

func TestBlock(t *testing.T) {
	const tagged, typed = unix.TP_STATUS_VLAN_VALID, unix.TP_STATUS_VLAN_TPID_VALID
	const macs = "ABCDEFabcdef"
	frame := macs + "\x08\x00payload"
	address := "\x00\x00\x00\x00\x00\x03\x00\x01\x04\x06\x02\x00\x00\x00\x00\x01\xff\xff"
	ip4, ip6 := "\x45\x00\x00\x14"+strings.Repeat("a", 16), "\x60\x00\x00\x00\x00\x00"+strings.Repeat("a", 34)
	for name, c := range map[string]struct {
		in     framed
		cooked bool
		want   string
		length int
	}{
		"untagged":          {framed{data: frame, length: 900}, false, frame, 900},
		"tagged":            {framed{status: tagged | typed, tci: 0x2064, tpid: 0x88a8, data: frame, length: 900}, false, macs + "\x88\xa8\x20\x64\x08\x00payload", 904},
		"tag of no type":    {framed{status: tagged, tci: 5, tpid: 0x1111, data: frame, length: 21}, false, macs + "\x81\x00\x00\x05\x08\x00payload", 25},
		"cut in its header": {framed{status: tagged, tci: 5, data: frame[:13], length: 21}, false, frame[:13], 21},
		"tag not valid":     {framed{tci: 5, tpid: 0x8100, data: frame, length: 21}, false, frame, 21},
		"shorter than it":   {framed{data: frame, length: 3}, false, frame, len(frame)},
		"cooked":            {framed{protocol: 0x0800, data: "payload", length: 7}, true, "\x08\x00" + address + "payload", 27},
		"cooked, tagged":    {framed{status: tagged | typed, tci: 5, tpid: 0x8100, protocol: 0x86dd, data: "payload", length: 70}, true, "\x81\x00" + address + "\x00\x05\x86\xddpayload", 94},
		"a tag is left": {framed{status: tagged | typed, tci: 100, tpid: 0x88a8, protocol: 0x0800, data: "\x00\xc8\x08\x00" + ip4, length: 24}, true,
			"\x88\xa8" + address + "\x00\x64\x81\x00\x00\xc8\x08\x00" + ip4, 48},
		"two are left": {framed{status: tagged | typed, tci: 100, tpid: 0x8100, protocol: 0x86dd, data: "\x00\xc8\x81\x00\x01\x2c\x86\xdd" + ip6, length: 48}, true,
			"\x81\x00" + address + "\x00\x64\x81\x00\x00\xc8\x81\x00\x01\x2c\x86\xdd" + ip6, 72},
		"one of a priority like IPv4": {framed{status: tagged, tci: 100, protocol: 0x0800, data: "\x45\xc8\x08\x00" + ip4, length: 24}, true,
			"\x81\x00" + address + "\x00\x64\x81\x00\x45\xc8\x08\x00" + ip4, 48},
		"one of a priority like IPv6": {framed{status: tagged, tci: 100, protocol: 0x86dd, data: "\x60\xc8\x86\xdd" + ip6, length: 44}, true,
			"\x81\x00" + address + "\x00\x64\x81\x00\x60\xc8\x86\xdd" + ip6, 68},
		"IPv4 as if it was one":   {framed{status: tagged, tci: 100, protocol: 0x0800, data: "\x45\x00\x08\x00" + ip4, length: 2048}, true, "\x81\x00" + address + "\x00\x64\x08\x00\x45\x00\x08\x00" + ip4, 2072},
		"none was taken off":      {framed{protocol: 0x0800, data: "\x00\xc8\x08\x00" + ip4, length: 24}, true, "\x08\x00" + address + "\x00\xc8\x08\x00" + ip4, 44},
		"what is no IP":           {framed{status: tagged, tci: 100, protocol: 0x8847, data: "\x00\xc8\x88\x47\x00\x00", length: 6}, true, "\x81\x00" + address + "\x00\x64\x88\x47\x00\xc8\x88\x47\x00\x00", 30},
		"cut behind the tag left": {framed{status: tagged, tci: 100, protocol: 0x0800, data: "\x00\xc8\x08\x00", length: 24}, true, "\x81\x00" + address + "\x00\x64\x08\x00\x00\xc8\x08\x00", 48},
		"cooked, empty":           {framed{protocol: 0x0800}, true, "\x08\x00" + address, 20},
	} {
		b := newBlock(blockOf(c.in, framed{data: "second"}), c.cooked)
		var p Packet
		if err := b.next(&p); err != nil || b.left != 1 {
			t.Errorf("%s: %v, %d left", name, err, b.left)
		}
		if string(p.Data) != c.want || p.Length != c.length || p.Time != 7e9+9 {
			t.Errorf("%s:\n%x of %d, want\n%x of %d", name, p.Data, p.Length, c.want, c.length)
		}
		if wanted := map[bool]LinkType{false: LinkEthernet, true: LinkSLL2}[c.cooked]; p.Link != wanted {
			t.Errorf("%s: link %d", name, p.Link)
		}
		if err := b.next(&p); err != nil || b.left != 0 || !strings.HasSuffix(string(p.Data), "second") {
			t.Errorf("%s: the second: %v %q", name, err, p.Data)
		}
	}
}

func TestBlockAtOddsWithItself(t *testing.T) {
	for name, damage := range map[string]func(b []byte){
		"begins behind its end":    func(b []byte) { binary.NativeEndian.PutUint32(b[blockFirst:], uint32(len(b))) },
		"captured beyond it":       func(b []byte) { binary.NativeEndian.PutUint32(b[blockHeader+packetCaptured:], 1<<31) },
		"begins in its own header": func(b []byte) { binary.NativeEndian.PutUint16(b[blockHeader+packetMAC:], packetHeader) },
		"begins beyond it":         func(b []byte) { binary.NativeEndian.PutUint16(b[blockHeader+packetMAC:], 0xffff) },
		"goes nowhere":             func(b []byte) { binary.NativeEndian.PutUint32(b[blockHeader+packetNext:], 0) },
	} {
		b := blockOf(framed{data: "first"}, framed{data: "second"})
		damage(b)
		walk := newBlock(b, false)
		if err := walk.next(&Packet{}); err != errBlock {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzBlock(f *testing.F) {
	f.Add(blockOf(framed{data: "ABCDEFabcdef\x08\x00payload", status: unix.TP_STATUS_VLAN_VALID, tci: 5}, framed{data: "second"}), false)
	f.Add(blockOf(framed{data: "payload", protocol: 0x0800, status: unix.TP_STATUS_VLAN_VALID, tci: 5}), true)
	f.Add(blockOf(framed{data: "\x00\xc8\x08\x00\x45", protocol: 0x0800, status: unix.TP_STATUS_VLAN_VALID, tci: 5}), true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, data []byte, cooked bool) {
		b := newBlock(data, cooked)
		for n := 0; b.left > 0; n++ {
			var p Packet
			if err := b.next(&p); err != nil {
				return
			}
			if n > len(data)/packetHeader {
				t.Fatal("more packets than there is room for")
			}
			if p.Length < len(p.Data) || cap(p.Data) != len(p.Data) || len(p.Data) > len(data) {
				t.Fatalf("%d octets of %d", len(p.Data), p.Length)
			}
		}
	})
}
