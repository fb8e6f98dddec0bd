package capture_test

import (
	"encoding/binary"
	"strings"
)

func be16(v uint16) string { return string(binary.BigEndian.AppendUint16(nil, v)) }

const macs = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// reset is a TCP segment that no kernel answers.
func reset(src, dst uint16) string {
	return be16(src) + be16(dst) + "\x00\x00\x00\x01\x00\x00\x00\x00\x50\x04\x00\x00\x00\x00\x00\x00"
}

func over4(rest string) string {
	return be16(0x0800) + "\x45\x00" + be16(uint16(20+len(rest))) + "\x00\x01\x00\x00\x40\x06\x7c\xcd\x7f\x00\x00\x01\x7f\x00\x00\x01" + rest
}

func over6(rest string) string {
	loop := strings.Repeat("\x00", 15) + "\x01"
	return be16(0x86dd) + "\x60\x00\x00\x00" + be16(uint16(len(rest))) + "\x06\x40" + loop + loop + rest
}

func tagged(etherType, id uint16, rest string) string { return be16(etherType) + be16(id) + rest }

// watched are frames that must reach us if port is watched.
func watched(port uint16) map[string]string {
	return map[string]string{
		"ipv4 from":     macs + over4(reset(port, 40000)),
		"ipv4 to":       macs + over4(reset(40000, port)),
		"ipv6":          macs + over6(reset(40000, port)),
		"802.1Q":        macs + tagged(0x8100, 100, over4(reset(40000, port))),
		"802.1Q ipv6":   macs + tagged(0x8100, 100, over6(reset(port, 40000))),
		"QinQ":          macs + tagged(0x88a8, 300, tagged(0x8100, 100, over4(reset(40000, port)))),
		"QinQ ipv6":     macs + tagged(0x88a8, 300, tagged(0x8100, 100, over6(reset(40000, port)))),
		"QinQ of 9200":  macs + tagged(0x9200, 9, tagged(0x9300, 8, over4(reset(port, 40000)))),
		"QinQ two 8100": macs + tagged(0x8100, 300, tagged(0x8100, 100, over4(reset(port, 40000)))),
	}
}
