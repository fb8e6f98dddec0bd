package main

import (
	"encoding/binary"
	"strings"
)

// Headers of links, tags and tunnels as they stand on the wire, in front of
// what they carry.

func be16(v int) string { return string(binary.BigEndian.AppendUint16(nil, uint16(v))) }
func be32(v int) string { return string(binary.BigEndian.AppendUint32(nil, uint32(v))) }

const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00"

func isIPv6(ip string) bool { return ip[0]>>4 == 6 }

func etherType(ip string) string {
	if isIPv6(ip) {
		return "\x86\xdd"
	}
	return "\x08\x00"
}

func etherFrame(ip string) string { return macs + etherType(ip) + ip }

func etherOf(kind int, rest string) string { return macs + be16(kind) + rest }

// tagsOn puts tags in front of a packet, the outermost first: type and VLAN in turn.
func tagsOn(ip string, tags ...int) string {
	out := macs
	for i := 0; i < len(tags); i += 2 {
		out += be16(tags[i]) + be16(tags[i+1])
	}
	return out + etherType(ip) + ip
}

// outer4 and outer6 put an IP packet around something; ids of IPv4 count.
func (w *wrapper) outer4(proto int, rest string) string {
	w.id++
	return "\x45\x00" + be16(20+len(rest)) + be16(w.id) + "\x40\x00\x40" + string([]byte{byte(proto)}) + "\x00\x00" + w.ends("\x0a\xfe\x00\x01", "\x0a\xfe\x00\x02") + rest
}

func (w *wrapper) outer6(next int, rest string) string {
	prefix := "\x20\x01\x0d\xb8" + zeros + "\x00\x00\x00"
	return "\x60\x00\x00\x00" + be16(len(rest)) + string([]byte{byte(next), 64}) + w.ends(prefix+"\x01", prefix+"\x02") + rest
}

// ends orders two addresses as the packet goes.
func (w *wrapper) ends(client, server string) string {
	if w.toServer {
		return client + server
	}
	return server + client
}

func (w *wrapper) udp4(port int, rest string) string {
	return w.outer4(17, be16(49152)+be16(port)+be16(8+len(rest))+"\x00\x00"+rest)
}

func (w *wrapper) gre(flags, kind int, fields, rest string) string {
	return w.outer4(47, be16(flags)+be16(kind)+fields+rest)
}

// greFlagged has the fields of any flags: checksum, routing, key, sequence.
func (w *wrapper) greFlagged(flags int, ip string) string {
	fields := ""
	if flags&0xc000 != 0 {
		fields += "\xbe\xef\x00\x00"
	}
	if flags&0x2000 != 0 {
		fields += be32(w.number)
	}
	if flags&0x1000 != 0 {
		fields += be32(w.id)
	}
	if flags&0x4000 != 0 {
		fields += "\x08\x00\x00\x04\x0a\x00\x00\x09" + "\x00\x00\x00\x00"
	}
	kind := 0x0800
	if isIPv6(ip) {
		kind = 0x86dd
	}
	return w.gre(flags, kind, fields, ip)
}

func (w *wrapper) vxlan(frame string) string {
	return w.udp4(4789, "\x08\x00\x00\x00"+be32(w.number<<8)+frame)
}

func (w *wrapper) erspan2(frame string) string {
	return w.gre(0x1000, 0x88be, be32(w.id), "\x10\x64"+be16(w.number)+be32(9)+frame)
}

func (w *wrapper) erspan3(more int, rest string) string {
	return w.gre(0x1000, 0x22eb, be32(w.id), "\x20\x64"+be16(w.number)+be32(123456)+"\x00\x00"+be16(more)+rest)
}

func (w *wrapper) gtp(flags int, fields, ip string) string {
	rest := fields + ip
	return w.udp4(2152, string([]byte{byte(0x30 | flags), 0xff})+be16(len(rest))+be32(w.number)+rest)
}

func (w *wrapper) geneve(options, frame string) string {
	return w.udp4(6081, string([]byte{byte(len(options) / 4), 0})+"\x65\x58"+be32(w.number<<8)+options+frame)
}

func mplsLabel(label, bottom int, rest string) string {
	return be32(label<<12|bottom<<8|64) + rest
}

func pppOf(ip string) string {
	if isIPv6(ip) {
		return "\x00\x57" + ip
	}
	return "\x00\x21" + ip
}

func (w *wrapper) pppoe(ip string) string {
	ppp := pppOf(ip)
	return "\x11\x00" + be16(w.number) + be16(len(ppp)) + ppp
}

// nflogOf has the packet behind a prefix; the order is the capturing machine's.
func nflogOf(order binary.ByteOrder, ip string) string {
	field := func(kind int, value string) string {
		b := make([]byte, 4, 4+len(value)+3)
		order.PutUint16(b, uint16(4+len(value)))
		order.PutUint16(b[2:], uint16(kind))
		return string(b) + value + zeros[:(4-len(value)%4)%4]
	}
	family := "\x02"
	if isIPv6(ip) {
		family = "\x0a"
	}
	return family + "\x00\x00\x05" + field(10, "mail\x00") + field(9, ip)
}

func familyOf(order binary.AppendByteOrder, six int, ip string) string {
	family := 2
	if isIPv6(ip) {
		family = six
	}
	return string(order.AppendUint32(nil, uint32(family))) + ip
}

// pieceSpan is a piece of an IP payload, from an octet on to another.
type pieceSpan struct{ from, to int }

// piecesOf says where pieces of a size begin and end.
func piecesOf(length, size int) (list []pieceSpan) {
	for at := 0; at < length; at += size {
		list = append(list, pieceSpan{at, min(at+size, length)})
	}
	return list
}

// pieces cuts an IP packet into fragments. What fits into one piece stays whole.
func (w *wrapper) pieces(ip string, list []pieceSpan) (out []string) {
	if len(list) < 2 {
		return []string{ip}
	}
	w.id++
	for _, p := range list {
		out = append(out, w.piece(ip, p, false))
	}
	return out
}

func (w *wrapper) piece(ip string, p pieceSpan, lies bool) string {
	header := 20
	if isIPv6(ip) {
		header = 40
	}
	data := ip[header:][p.from:p.to]
	if lies {
		data = strings.Repeat("?", len(data))
	}
	more := 0
	if header+p.to < len(ip) {
		more = 1
	}
	if header == 20 {
		return ip[:2] + be16(20+len(data)) + ip[4:6] + be16(more<<13|p.from/8) + ip[8:20] + data
	}
	return ip[:4] + be16(8+len(data)) + "\x2c" + ip[7:40] + ip[6:7] + "\x00" + be16(p.from|more) + be32(w.id) + data
}

// toIPv6 makes IPv6 of an IPv4 packet of TCP; its checksum is right.
func toIPv6(ip string) string {
	header := int(ip[0]&15) * 4
	prefix := "\xfd\x20" + zeros + "\x00\x00"
	ends := prefix + ip[12:16] + prefix + ip[16:20]
	tcp := []byte(ip[header:])
	tcp[16], tcp[17] = 0, 0
	binary.BigEndian.PutUint16(tcp[16:], internetSum([]byte(ends+be32(len(tcp))+be32(6)+string(tcp))))
	return "\x60\x00\x00\x00" + be16(len(tcp)) + "\x06" + ip[8:9] + ends + string(tcp)
}
