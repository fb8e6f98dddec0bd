package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture"
)

// wrapper puts the packets of a capture into something else, each direction
// under a number of its own.
type wrapper struct {
	toServer bool
	number   int // 101 to the server, 202 back
	id       int // counts
}

// wrapping is a way in which mail may come.
type wrapping struct {
	name  string
	link  capture.LinkType
	v6    bool   // carries IPv6 alone
	v4    bool   // carries IPv4 alone
	named string // what link has then; %d is the number
	wrap  func(w *wrapper, ip string) []string
}

// one is a wrapping of one frame for each packet.
func one(f func(w *wrapper, ip string) string) func(w *wrapper, ip string) []string {
	return func(w *wrapper, ip string) []string { return []string{f(w, ip)} }
}

func wrappings() []wrapping {
	ether := func(f func(w *wrapper, ip string) string) func(w *wrapper, ip string) []string {
		return one(func(w *wrapper, ip string) string { return etherFrame(f(w, ip)) })
	}
	list := []wrapping{
		{name: "802.1Q", link: 1, named: `"vlan":[%d]`, wrap: one(func(w *wrapper, ip string) string { return tagsOn(ip, 0x8100, w.number) })},
		{name: "a tag of priority alone", link: 1, wrap: one(func(w *wrapper, ip string) string { return tagsOn(ip, 0x8100, 0xe000) })},
		{name: "802.1ad", link: 1, named: `"vlan":[%d,7]`, wrap: one(func(w *wrapper, ip string) string { return tagsOn(ip, 0x88a8, w.number, 0x8100, 7) })},
		{name: "0x9100", link: 1, named: `"vlan":[%d,7]`, wrap: one(func(w *wrapper, ip string) string { return tagsOn(ip, 0x9100, w.number, 0x9100, 7) })},
		{name: "0x9200", link: 1, named: `"vlan":[%d,7]`, wrap: one(func(w *wrapper, ip string) string { return tagsOn(ip, 0x9200, w.number, 0x9300, 7) })},
		{name: "seven tags", link: 1, named: `"vlan":[%d,2,3,4]`, wrap: one(func(w *wrapper, ip string) string {
			return tagsOn(ip, 0x88a8, w.number, 0x8100, 2, 0x9100, 3, 0x9200, 4, 0x9300, 5, 0x8100, 6, 0x8100, 7)
		})},
		{name: "tags one way", link: 1, wrap: one(func(w *wrapper, ip string) string {
			if w.toServer {
				return etherFrame(ip)
			}
			return tagsOn(ip, 0x8100, w.number)
		})},
		{name: "padding and a frame check sequence", link: 1, wrap: one(func(w *wrapper, ip string) string {
			frame := etherFrame(ip)
			return frame + strings.Repeat("\x00", max(0, 60-len(frame))) + "\xde\xad\xbe\xef"
		})},
		{name: "mpls", link: 1, named: `"tunnel":["mpls:%d"]`, wrap: one(func(w *wrapper, ip string) string { return etherOf(0x8847, mplsLabel(w.number, 1, ip)) })},
		{name: "mpls, three labels", link: 1, named: `"tunnel":["mpls:%d"]`, wrap: one(func(w *wrapper, ip string) string {
			return etherOf(0x8847, mplsLabel(16, 0, mplsLabel(17, 0, mplsLabel(w.number, 1, ip))))
		})},
		{name: "pseudowire", link: 1, named: `"tunnel":["mpls:%d"]`, wrap: one(func(w *wrapper, ip string) string {
			return etherOf(0x8847, mplsLabel(w.number, 1, etherFrame(ip)))
		})},
		{name: "pseudowire with a control word", link: 1, named: `"vlan":[5],"tunnel":["mpls:%d"]`, wrap: one(func(w *wrapper, ip string) string {
			return etherOf(0x8848, mplsLabel(w.number, 1, "\x00\x00"+be16(w.id)+tagsOn(ip, 0x8100, 5)))
		})},
		{name: "pppoe", link: 1, named: `"tunnel":["pppoe:%d"]`, wrap: one(func(w *wrapper, ip string) string { return etherOf(0x8864, w.pppoe(ip)) })},
		{name: "802.1ah", link: 1, named: `"vlan":[9,8],"tunnel":["pbb:%d"]`, wrap: one(func(w *wrapper, ip string) string {
			return macs + "\x88\xa8\x00\x09\x88\xe7\x60" + be32(w.number)[1:] + tagsOn(ip, 0x8100, 8)
		})},
		{name: "gre, ethernet", link: 1, named: `"tunnel":["gre"]`, wrap: ether(func(w *wrapper, ip string) string { return w.gre(0, 0x6558, "", etherFrame(ip)) })},
		{name: "gre over ipv6", link: 1, named: `"tunnel":["gre:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.outer6(47, "\x20\x00"+etherType(ip)+be32(w.number)+ip)
		})},
		{name: "nvgre", link: 1, named: `"tunnel":["nvgre:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.gre(0x2000, 0x6558, be32(w.number<<8|7), etherFrame(ip))
		})},
		{name: "pptp", link: 1, named: `"tunnel":["pptp:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.gre(0x3001, 0x880b, be16(2+len(pppOf(ip)))+be16(w.number)+be32(w.id), "\xff\x03"+pppOf(ip))
		})},
		{name: "pptp with an acknowledgement, compressed", link: 1, named: `"tunnel":["pptp:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.gre(0x3081, 0x880b, be16(len(pppOf(ip))-1)+be16(w.number)+be32(w.id)+be32(w.id), pppOf(ip)[1:])
		})},
		{name: "erspan I", link: 1, named: `"tunnel":["erspan1"]`, wrap: ether(func(w *wrapper, ip string) string { return w.gre(0, 0x88be, "", etherFrame(ip)) })},
		{name: "erspan II", link: 1, named: `"tunnel":["erspan2:%d"]`, wrap: ether(func(w *wrapper, ip string) string { return w.erspan2(etherFrame(ip)) })},
		{name: "erspan III", link: 1, named: `"tunnel":["erspan3:%d"]`, wrap: ether(func(w *wrapper, ip string) string { return w.erspan3(0, etherFrame(ip)) })},
		{name: "erspan III with a subheader", link: 1, named: `"tunnel":["erspan3:%d"]`, wrap: ether(func(w *wrapper, ip string) string { return w.erspan3(1, "platform"+etherFrame(ip)) })},
		{name: "vxlan", link: 1, named: `"tunnel":["vxlan:%d"]`, wrap: ether(func(w *wrapper, ip string) string { return w.vxlan(etherFrame(ip)) })},
		{name: "vxlan over ipv6", link: 1, named: `"tunnel":["vxlan:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			rest := "\x08\x00\x00\x00" + be32(w.number<<8) + etherFrame(ip)
			return w.outer6(17, be16(50000)+be16(8472)+be16(8+len(rest))+"\x00\x00"+rest)
		})},
		{name: "vxlan-gpe, ip", link: 1, named: `"tunnel":["vxlan-gpe:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			next := "\x01"
			if isIPv6(ip) {
				next = "\x02"
			}
			return w.udp4(4790, "\x0c\x00\x00"+next+be32(w.number<<8)+ip)
		})},
		{name: "vxlan-gpe, ethernet", link: 1, named: `"tunnel":["vxlan-gpe:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.udp4(4790, "\x0c\x00\x00\x03"+be32(w.number<<8)+etherFrame(ip))
		})},
		{name: "vxlan-gpe, mpls", link: 1, named: `"tunnel":["vxlan-gpe:%d","mpls:3"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.udp4(4790, "\x0c\x00\x00\x05"+be32(w.number<<8)+mplsLabel(3, 1, ip))
		})},
		{name: "geneve", link: 1, named: `"tunnel":["geneve:%d"]`, wrap: ether(func(w *wrapper, ip string) string { return w.geneve("", etherFrame(ip)) })},
		{name: "geneve with options", link: 1, named: `"tunnel":["geneve:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.geneve("\x01\x02\x80\x02optionss\x01\x02\x03\x00", etherFrame(ip))
		})},
		{name: "gtp", link: 1, named: `"tunnel":["gtp:%d"]`, wrap: ether(func(w *wrapper, ip string) string { return w.gtp(0, "", ip) })},
		{name: "gtp with a sequence number", link: 1, named: `"tunnel":["gtp:%d"]`, wrap: ether(func(w *wrapper, ip string) string { return w.gtp(2, be16(w.id)+"\x00\x00", ip) })},
		{name: "gtp with extension headers", link: 1, named: `"tunnel":["gtp:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.gtp(4, "\x00\x00\x00\x85\x01\x10\x09\xc0\x02aaaaaa\x00", ip)
		})},
		{name: "ip in ip", link: 1, v4: true, named: `"tunnel":["ipip"]`, wrap: ether(func(w *wrapper, ip string) string { return w.outer4(4, ip) })},
		{name: "6in4", link: 1, v6: true, named: `"tunnel":["6in4"]`, wrap: ether(func(w *wrapper, ip string) string { return w.outer4(41, ip) })},
		{name: "4in6", link: 1, v4: true, named: `"tunnel":["4in6"]`, wrap: ether(func(w *wrapper, ip string) string { return w.outer6(4, ip) })},
		{name: "6in6", link: 1, v6: true, named: `"tunnel":["6in6"]`, wrap: ether(func(w *wrapper, ip string) string { return w.outer6(60, "\x29\x00\x04\x01\x04\x01\x00\x00"+ip) })},
		{name: "teredo", link: 1, v6: true, named: `"tunnel":["teredo"]`, wrap: ether(func(w *wrapper, ip string) string { return w.udp4(3544, ip) })},
		{name: "teredo with both indications", link: 1, v6: true, named: `"tunnel":["teredo"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.udp4(3544, "\x00\x01\x02\x03idmac12345678\x00"+"\x00\x00\x12\x34\x7f\x01\x02\x03"+ip)
		})},
		{name: "l2tp", link: 1, named: `"tunnel":["l2tp:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.udp4(1701, "\x00\x02\x00\x01"+be16(w.number)+"\xff\x03"+pppOf(ip))
		})},

		{name: "cooked", link: capture.LinkLinuxSLL, wrap: one(func(_ *wrapper, ip string) string {
			return "\x00\x00\x00\x01\x00\x06" + macs[:6] + "\x00\x00" + etherType(ip) + ip
		})},
		{name: "cooked, tagged", link: capture.LinkLinuxSLL, named: `"vlan":[%d]`, wrap: one(func(w *wrapper, ip string) string {
			return "\x00\x00\x00\x01\x00\x06" + macs[:6] + "\x00\x00" + "\x81\x00" + be16(w.number) + etherType(ip) + ip
		})},
		{name: "cooked v2", link: capture.LinkSLL2, wrap: one(func(_ *wrapper, ip string) string {
			return etherType(ip) + "\x00\x00" + be32(2) + "\x00\x01\x00\x06" + macs[:6] + "\x00\x00" + ip
		})},
		{name: "nflog", link: capture.LinkNFLOG, wrap: one(func(_ *wrapper, ip string) string { return nflogOf(binary.LittleEndian, ip) })},
		{name: "nflog, big-endian", link: capture.LinkNFLOG, wrap: one(func(_ *wrapper, ip string) string { return nflogOf(binary.BigEndian, ip) })},
		{name: "ppp", link: capture.LinkPPP, wrap: one(func(_ *wrapper, ip string) string { return "\xff\x03" + pppOf(ip) })},
		{name: "ppp, compressed", link: capture.LinkPPP, wrap: one(func(_ *wrapper, ip string) string { return pppOf(ip)[1:] })},
		{name: "ppp in hdlc", link: capture.LinkPPPHDLC, wrap: one(func(_ *wrapper, ip string) string { return "\xff\x03" + pppOf(ip) })},
		{name: "ppp over ethernet", link: capture.LinkPPPEther, named: `"tunnel":["pppoe:%d"]`, wrap: one(func(w *wrapper, ip string) string { return w.pppoe(ip) })},
		{name: "cisco hdlc", link: capture.LinkCHDLC, wrap: one(func(_ *wrapper, ip string) string { return "\x0f\x00" + etherType(ip) + ip })},
		{name: "null, little-endian", link: capture.LinkNull, wrap: one(func(_ *wrapper, ip string) string { return familyOf(binary.LittleEndian, 30, ip) })},
		{name: "null, big-endian", link: capture.LinkNull, wrap: one(func(_ *wrapper, ip string) string { return familyOf(binary.BigEndian, 24, ip) })},
		{name: "loopback", link: capture.LinkLoop, wrap: one(func(_ *wrapper, ip string) string { return familyOf(binary.BigEndian, 28, ip) })},
		{name: "raw", link: capture.LinkRaw, wrap: one(func(_ *wrapper, ip string) string { return ip })},
		{name: "raw, BSD's number", link: capture.LinkRawBSD, wrap: one(func(_ *wrapper, ip string) string { return ip })},
		{name: "raw ipv4", link: capture.LinkIPv4, v4: true, wrap: one(func(_ *wrapper, ip string) string { return ip })},
		{name: "raw ipv6", link: capture.LinkIPv6, v6: true, wrap: one(func(_ *wrapper, ip string) string { return ip })},

		{name: "vxlan in a tag in gre behind tags", link: 1, named: `"vlan":[1,2,3,4],"tunnel":["gre","vxlan:%d"]`, wrap: one(func(w *wrapper, ip string) string {
			return tagsOn(w.gre(0, 0x6558, "", tagsOn(w.vxlan(tagsOn(ip, 0x8100, 4)), 0x8100, 3)), 0x88a8, 1, 0x8100, 2)
		})},
		{name: "erspan of a pseudowire of pppoe", link: 1, named: `"tunnel":["erspan2:%d","mpls:6","pppoe:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			return w.erspan2(etherOf(0x8847, mplsLabel(6, 1, zeros[:4]+etherOf(0x8864, w.pppoe(ip)))))
		})},
		{name: "gtp in geneve in 6in4", link: 1, named: `"tunnel":["6in4","geneve:%d","gtp:%d"]`, wrap: ether(func(w *wrapper, ip string) string {
			inner := "\x00\x00\x65\x58" + be32(w.number<<8) + etherFrame(w.gtp(0, "", ip))
			return w.outer4(41, w.outer6(17, be16(50000)+be16(6081)+be16(8+len(inner))+"\x00\x00"+inner))
		})},
	}
	for flags := 0; flags < 0x10000; flags += 0x1000 { // every one of checksum, routing, key, sequence
		named := `"tunnel":["gre"]`
		if flags&0x2000 != 0 {
			named = `"tunnel":["gre:%d"]`
		}
		list = append(list, wrapping{name: fmt.Sprintf("gre %#x", flags), link: 1, named: named, wrap: ether(func(w *wrapper, ip string) string { return w.greFlagged(flags, ip) })})
	}
	return append(list, piecemeal()...)
}

// piecemeal are fragments, giants and copies.
func piecemeal() []wrapping {
	each := func(list []string) (out []string) {
		for _, ip := range list {
			out = append(out, etherFrame(ip))
		}
		return out
	}
	cut := func(ip string, size int) []pieceSpan {
		header := 20
		if isIPv6(ip) {
			header = 40
		}
		return piecesOf(len(ip)-header, size)
	}
	return []wrapping{
		{name: "fragments", link: 1, wrap: func(w *wrapper, ip string) []string { return each(w.pieces(ip, cut(ip, 512))) }},
		{name: "fragments, last first", link: 1, wrap: func(w *wrapper, ip string) []string {
			list := cut(ip, 256)
			slices.Reverse(list)
			return each(w.pieces(ip, list))
		}},
		{name: "fragments, tiny", link: 1, wrap: func(w *wrapper, ip string) []string { return each(w.pieces(ip, cut(ip, 32))) }},
		{name: "fragments, each twice", link: 1, wrap: func(w *wrapper, ip string) []string {
			var list []pieceSpan
			for _, p := range cut(ip, 512) {
				list = append(list, p, p)
			}
			return each(w.pieces(ip, list[:max(1, len(list)-1)])) // a second last one would begin another packet
		}},
		{name: "fragments that overlap", link: 1, v4: true, wrap: func(w *wrapper, ip string) []string {
			list := cut(ip, 256)
			for i := range list[:len(list)-1] {
				list[i].to = min(list[i].to+64, len(ip)-20) &^ 7
			}
			return each(w.pieces(ip, list))
		}},
		{name: "fragments that overlap and lie", link: 1, v4: true, wrap: func(w *wrapper, ip string) []string {
			list := cut(ip, 256)
			if len(list) < 3 {
				return each(w.pieces(ip, list))
			}
			out := w.pieces(ip, list[:2])
			return each(append(append(out, w.piece(ip, pieceSpan{128, 384}, true)), w.pieces(ip, list[2:])...))
		}},
		{name: "fragments in vxlan", link: 1, named: `"tunnel":["vxlan:%d"]`, wrap: func(w *wrapper, ip string) (out []string) {
			for _, p := range w.pieces(ip, cut(ip, 512)) {
				out = append(out, etherFrame(w.vxlan(etherFrame(p))))
			}
			return out
		}},
		{name: "vxlan in fragments", link: 1, named: `"tunnel":["vxlan:%d"]`, wrap: func(w *wrapper, ip string) []string {
			outer := w.vxlan(etherFrame(ip))
			list := cut(outer, 256)
			slices.Reverse(list)
			return each(w.pieces(outer, list))
		}},
		{name: "vxlan in fragments of ipv6", link: 1, named: `"tunnel":["vxlan:%d"]`, wrap: func(w *wrapper, ip string) []string {
			rest := "\x08\x00\x00\x00" + be32(w.number<<8) + etherFrame(ip)
			outer := w.outer6(17, be16(50000)+be16(4789)+be16(8+len(rest))+"\x00\x00"+rest)
			return each(w.pieces(outer, cut(outer, 512)))
		}},
		{name: "fragments in fragments", link: 1, named: `"tunnel":["gre"]`, wrap: func(w *wrapper, ip string) (out []string) {
			for _, p := range w.pieces(ip, cut(ip, 512)) {
				outer := w.gre(0, int(binary.BigEndian.Uint16([]byte(etherType(ip)))), "", p)
				out = append(out, each(w.pieces(outer, cut(outer, 128)))...)
			}
			return out
		}},
		{name: "no length, as offloading leaves it", link: 1, wrap: one(func(_ *wrapper, ip string) string {
			switch {
			case len(ip) <= 46:
				return etherFrame(ip)
			case isIPv6(ip):
				return etherFrame(ip[:4] + "\x00\x00" + ip[6:])
			}
			return etherFrame(ip[:2] + "\x00\x00" + ip[4:])
		})},
		{name: "twice", link: 1, wrap: func(_ *wrapper, ip string) []string { return []string{etherFrame(ip), etherFrame(ip)} }},
		{name: "twice, the second behind a router", link: 1, wrap: func(w *wrapper, ip string) []string {
			return []string{etherFrame(ip), tagsOn(nextHop(ip), 0x8100, w.number)}
		}},
		{name: "three times", link: 1, named: `"vlan":[%d]`, wrap: func(w *wrapper, ip string) []string {
			return []string{tagsOn(ip, 0x8100, w.number), etherFrame(w.vxlan(etherFrame(nextHop(ip)))), etherFrame(nextHop(nextHop(ip)))}
		}},
	}
}

// nextHop is the packet behind one more router.
func nextHop(ip string) string {
	at := 8
	if isIPv6(ip) {
		at = 7
	}
	return ip[:at] + string([]byte{ip[at] - 1}) + ip[at+1:]
}

// bare is a packet of a capture without its link header.
type bare struct {
	time     int64
	ip       string
	toServer bool
}

// bareOf takes the TCP packets of an Ethernet capture.
func bareOf(t *testing.T, name string) (list []bare) {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := capture.NewFile(strings.NewReader(string(data)), name, capture.FileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		var p capture.Packet
		if f.Next(&p) != nil {
			return list
		}
		frame := string(p.Data)
		if p.Link != capture.LinkEthernet {
			t.Fatalf("%s: link type %d", name, p.Link)
		}
		kind, ip, tcp, proto, size := frame[12:14], frame[14:], "", byte(0), 0
		switch kind {
		case "\x08\x00":
			proto, size = ip[9], int(binary.BigEndian.Uint16([]byte(ip[2:])))
			tcp = ip[int(ip[0]&15)*4:]
		case "\x86\xdd":
			proto, size = ip[6], 40+int(binary.BigEndian.Uint16([]byte(ip[4:])))
			tcp = ip[40:]
		}
		if proto == 6 {
			list = append(list, bare{p.Time, ip[:size], binary.BigEndian.Uint16([]byte(tcp[2:])) < 1024})
		}
	}
}

// file is the capture with its packets wrapped.
func (c wrapping) file(list []bare) string {
	out := &captureOf{file: binary.LittleEndian.AppendUint32([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00"), uint32(c.link))}
	w := &wrapper{}
	for _, p := range list {
		w.toServer, w.number = p.toServer, 202
		if p.toServer {
			w.number = 101
		}
		for _, frame := range c.wrap(w, p.ip) {
			out.frame(p.time, []byte(frame))
		}
	}
	return string(out.file)
}

var linkField = regexp.MustCompile(`"link":\{[^}]*\},`)

// TestReadWrapped reads the same captures in every encapsulation, in pieces and
// twice: the records are the same but for link, which names the way.
func TestReadWrapped(t *testing.T) {
	names := []string{shipped("05_auth_plain_clear_success")}
	for _, name := range []string{"02a_starttls13_auth_postfix", "06_auth_login_clear_5fail", "10a_pipelining_swaks", "14a_big_mail_attachments", "25_ipv6"} {
		names = append(names, corpus(name+"/capture.pcap")...)
	}
	read := func(file string) string {
		_, out, errs := call(file, "read", "--log.level", "error", "--sensor", "test", "--home.domains", "corp.test", "--format", "json", "-")
		return out + errs
	}
	plain := wrapping{link: 1, wrap: one(func(_ *wrapper, ip string) string { return etherFrame(ip) })}
	for _, name := range names {
		list := bareOf(t, name)
		v6 := isIPv6(list[0].ip)
		want := map[bool]string{v6: read(plain.file(list))}
		other := slices.Clone(list)
		if !v6 {
			for i := range other {
				other[i].ip = toIPv6(other[i].ip)
			}
			want[true] = read(plain.file(other))
		}
		if !strings.Contains(want[v6], `"event":"session"`) || linkField.MatchString(want[v6]) {
			t.Fatalf("%s: not the records of a plain capture:\n%s", name, want[v6])
		}
		for _, c := range wrappings() {
			packets, six := list, v6
			switch {
			case c.v4 && v6:
				continue
			case c.v6 && !v6:
				packets, six = other, true
			}
			got := read(c.file(packets))
			if less := linkField.ReplaceAllString(got, ""); less != want[six] {
				t.Errorf("%s in %s:\n%s", name, c.name, firstOther(less, want[six]))
			}
			link := strings.ReplaceAll(c.named, "%d", "101")
			if first := linkField.FindString(got); first != "" && c.named == "" || !strings.Contains(first, link) {
				t.Errorf("%s in %s: %s, want %s", name, c.name, first, link)
			}
		}
	}
}

// TestReadThreeTimes counts the second and the third copy of every packet.
func TestReadThreeTimes(t *testing.T) {
	list := bareOf(t, shipped("05_auth_plain_clear_success"))
	for _, c := range piecemeal() {
		copies := map[string]int{"twice": 1, "twice, the second behind a router": 1, "three times": 2}[c.name] * len(list)
		if copies == 0 {
			continue
		}
		_, report, _ := call(c.file(list), "read", "--log.level", "error", "-")
		if want := fmt.Sprintf("packets left out  %d: %[1]d duplicate\n", copies); !strings.Contains(report, want) {
			t.Errorf("%s: no %q in\n%s", c.name, want, report)
		}
	}
}

// firstOther is the first line in which two outputs differ.
func firstOther(got, want string) string {
	g, w := strings.SplitAfter(got, "\n"), strings.SplitAfter(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "want " + w[i]
		}
	}
	return "one output is longer: " + strings.Join(g[min(len(g), len(w)):], "") + strings.Join(w[min(len(g), len(w)):], "")
}
