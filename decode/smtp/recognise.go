package smtp

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// Names that Recognise gives.
const (
	ProtoHTTP   = "http"
	ProtoTLS    = "tls"
	ProtoSSH    = "ssh"
	ProtoRFB    = "rfb"
	ProtoPOP3   = "pop3"
	ProtoIMAP   = "imap"
	ProtoSOCKS4 = "socks4"
	ProtoSOCKS5 = "socks5"
	ProtoRDP    = "rdp"
	ProtoSMB    = "smb"
	ProtoRedis  = "redis"
	ProtoSIP    = "sip"
	ProtoRTSP   = "rtsp"
	ProtoTelnet = "telnet"
	ProtoBinary = "binary" // none of these, and no text
)

// verdict is what a recogniser says of the octets so far.
type verdict uint8

const (
	no verdict = iota
	yes
	unsure // more octets tell
)

// Recognise names the protocol that a side's first octets begin, "" for SMTP
// and for what it does not know. need says that more octets must be seen first;
// never above 2048. What was told of some octets is told of all that begin with
// them. A banner of FTP is not told from one of SMTP.
func Recognise(b []byte) (name string, need bool) {
	if len(b) == 0 {
		return "", true
	}
	if isGraphic(b[0]) && strings.IndexByte(firstOctets, b[0]) < 0 {
		return "", false // most replies, and EHLO
	}
	for _, r := range [...]struct {
		name string
		is   func([]byte) verdict
	}{
		{ProtoTLS, isTLS}, {ProtoSSH, isSSH}, {ProtoRFB, isRFB}, {ProtoPOP3, isPOP3}, {ProtoIMAP, isIMAP}, {ProtoRedis, isRedis},
		{ProtoSOCKS4, isSOCKS4}, {ProtoSOCKS5, isSOCKS5}, {ProtoRDP, isRDP}, {ProtoSMB, isSMB}, {ProtoTelnet, isTelnet},
	} {
		switch r.is(b) {
		case yes:
			return r.name, false
		case unsure:
			return "", true
		}
	}
	switch name, v := requestLine(b); v {
	case yes:
		return name, false
	case unsure:
		return "", true
	}
	switch isBinary(b) {
	case yes:
		return ProtoBinary, false
	case unsure:
		return "", true
	}
	return "", false
}

// firstOctets are the printable ones that a protocol begins with.
const firstOctets = "*+-ACDGHIMNOPRST"

func isGraphic(c byte) bool { return ' ' < c && c < 0x7f }

// OtherProtocol says whether a client's line is a line of HTTP, SSH or another
// protocol of text that is met on mail ports.
func OtherProtocol(line []byte) bool {
	line = trim(line)
	if begins(line, "SSH-") || begins(line, "RFB ") {
		return len(line) >= 4
	}
	return requestOf(line) != ""
}

// mark compares with the octets that a protocol begins with.
func mark(b []byte, marks ...string) verdict {
	v := no
	for _, m := range marks {
		if len(b) > 0 && b[0] == m[0] && begins(b, m) {
			if len(b) >= len(m) {
				return yes
			}
			v = unsure
		}
	}
	return v
}

func isSSH(b []byte) verdict  { return mark(b, "SSH-") }                          // RFC 4253, 4.2
func isRFB(b []byte) verdict  { return mark(b, "RFB 00") }                        // RFC 6143, 7.1.1
func isPOP3(b []byte) verdict { return mark(b, "+OK ", "+OK\r") }                 // RFC 1939, 4
func isIMAP(b []byte) verdict { return mark(b, "* OK ", "* PREAUTH ", "* BYE ") } // RFC 9051, 7.1

// isTLS knows a record of a handshake (RFC 8446, 5.1), and SSL 2's hello that
// offers more (RFC 5246, E.2).
func isTLS(b []byte) verdict {
	switch b[0] {
	case 0x16:
		return shape(b, 6, func() bool {
			size := binary.BigEndian.Uint16(b[3:])
			return b[1] == 3 && b[2] <= 4 && size >= 4 && size <= 1<<14+2048 && (b[5] == 1 || b[5] == 2)
		})
	case 0x15:
		return shape(b, 7, func() bool {
			return b[1] == 3 && b[2] <= 4 && b[3] == 0 && b[4] == 2 && (b[5] == 1 || b[5] == 2)
		})
	case 0x80:
		return shape(b, 5, func() bool { return b[2] == 1 && b[3] == 3 && b[4] <= 3 })
	}
	return no
}

// shape asks for n octets, then for a word on them.
func shape(b []byte, n int, is func() bool) verdict {
	switch {
	case len(b) < n:
		return unsure
	case is():
		return yes
	}
	return no
}

// isSOCKS4 knows CONNECT and BIND with the user's name and its NUL.
func isSOCKS4(b []byte) verdict {
	if b[0] != 4 {
		return no
	}
	if v := shape(b, 2, func() bool { return b[1] == 1 || b[1] == 2 }); v != yes {
		return v
	}
	const head, longest = 8, 64
	for i := head; i < min(len(b), head+longest); i++ {
		if b[i] == 0 {
			return yes
		}
		if b[i] < ' ' {
			return no
		}
	}
	if len(b) < head+longest {
		return unsure
	}
	return no
}

// isSOCKS5 knows the offer of methods (RFC 1928, 3): few, each assigned or
// private.
func isSOCKS5(b []byte) verdict {
	if b[0] != 5 {
		return no
	}
	if len(b) < 2 {
		return unsure
	}
	n := int(b[1])
	if n == 0 || n > 16 {
		return no
	}
	for _, m := range b[2:min(len(b), 2+n)] {
		if m > 9 && m < 0x80 {
			return no
		}
	}
	if len(b) < 2+n {
		return unsure
	}
	return yes
}

// isRDP knows TPKT with X.224's connection request or confirm ([MS-RDPBCGR],
// 2.2.1.1).
func isRDP(b []byte) verdict {
	if b[0] != 3 {
		return no
	}
	return shape(b, 6, func() bool {
		return b[1] == 0 && (b[5] == 0xe0 || b[5] == 0xd0) && int(b[4])+5 == int(binary.BigEndian.Uint16(b[2:]))
	})
}

// isSMB knows a session message with SMB 1, 2 or 3 in it, and NetBIOS' request
// for a session (RFC 1002, 4.3.1).
func isSMB(b []byte) verdict {
	switch b[0] {
	case 0:
		return shape(b, 8, func() bool { return string(b[5:8]) == "SMB" && b[4] >= 0xfc })
	case 0x81:
		return shape(b, 5, func() bool { return b[1] == 0 && b[2] == 0 && b[3] == 68 && b[4] == 32 })
	}
	return no
}

// isTelnet knows a negotiation (RFC 854).
func isTelnet(b []byte) verdict {
	if b[0] != 0xff {
		return no
	}
	return shape(b, 3, func() bool { return b[1] >= 0xfa && b[1] <= 0xfe && (b[2] < 50 || b[2] == 0xff) })
}

// isRedis knows a command as an array of strings, and the server's refusals.
func isRedis(b []byte) verdict {
	if b[0] != '*' {
		return mark(b, "-ERR ", "-NOAUTH ", "-DENIED ")
	}
	const longest = 8 // digits and CRLF
	for i := 1; i < min(len(b), longest); i++ {
		switch c := b[i]; {
		case isDigit(c):
			continue
		case i > 1 && c == '\r':
			return mark(b[i:], "\r\n$")
		}
		return no
	}
	if len(b) < longest {
		return unsure
	}
	return no
}

// maxRequest bounds a request line that is waited for, in octets.
const maxRequest = 2048

// requestLine knows a line that begins with a method or, from a server, with a
// version.
func requestLine(b []byte) (name string, v verdict) {
	for _, version := range [...]struct{ mark, name string }{
		{"HTTP/1.", ProtoHTTP}, {"SIP/2.0 ", ProtoSIP}, {"RTSP/1.0 ", ProtoRTSP}, {"RTSP/2.0 ", ProtoRTSP},
	} {
		if v := mark(b, version.mark); v != no {
			return version.name, v
		}
	}
	if v := mark(b, methods[:]...); v != yes {
		return "", v
	}
	i := bytes.IndexByte(b[:min(len(b), maxRequest)], '\n')
	switch {
	case i >= 0:
		name = requestOf(b[:i])
	case len(b) < maxRequest:
		return "", unsure
	default:
		name = requestOf(b[:maxRequest])
	}
	if name == "" {
		return "", no
	}
	return name, yes
}

// methods of HTTP, SIP (RFC 3261) and RTSP (RFC 7826).
var methods = [...]string{
	"GET ", "POST ", "PUT ", "HEAD ", "OPTIONS ", "CONNECT ", "DELETE ", "PRI ", "PATCH ", "TRACE ", "PROPFIND ",
	"REGISTER ", "INVITE ", "MESSAGE ", "SUBSCRIBE ", "NOTIFY ",
	"DESCRIBE ", "SETUP ", "PLAY ", "TEARDOWN ", "ANNOUNCE ",
}

// requestOf names the protocol of a request line.
func requestOf(line []byte) string {
	if mark(line, methods[:]...) != yes {
		return ""
	}
	_, target, _ := bytes.Cut(line, []byte{' '})
	switch {
	case bytes.Contains(target, []byte(" SIP/2")):
		return ProtoSIP
	case bytes.Contains(target, []byte(" RTSP/")):
		return ProtoRTSP
	case bytes.Contains(target, []byte("HTTP/")) || begins(target, "/") && len(target) > 0:
		return ProtoHTTP
	}
	return ""
}

// isBinary knows octets that are no text: the first is none, and there are four
// control characters before a line end. PROXY's version 2 begins with a line
// end.
func isBinary(b []byte) verdict {
	const window, enough = 32, 4
	if b[0] >= ' ' && b[0] < 0x7f || isSpace(b[0]) && b[0] != 0 {
		return no
	}
	count := 0
	for _, c := range b[:min(len(b), window)] {
		switch {
		case c == '\n':
			return no
		case c < ' ' && c != '\t' && c != '\r' || c == 0x7f:
			if count++; count == enough {
				return yes
			}
		}
	}
	if len(b) < window {
		return unsure
	}
	return no
}
