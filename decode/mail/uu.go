package mail

import "bytes"

// uuDecoder reads uuencode: lines between "begin" and "end", of which the
// first octet says how many octets the line holds.
type uuDecoder struct {
	line  []byte
	begun bool
	over  bool
	odd   bool
}

// maxUULine is a line of 63 octets, with some room.
const maxUULine = 128

func (d *uuDecoder) decode(out, b []byte) []byte {
	for len(b) > 0 && !d.over {
		i := bytes.IndexByte(b, '\n')
		end := i
		if i < 0 {
			end = len(b)
		}
		d.line = append(d.line, b[:min(end, maxUULine-len(d.line))]...)
		if i < 0 {
			return out
		}
		out = d.endLine(out)
		b = b[i+1:]
	}
	return out
}

func (d *uuDecoder) endLine(out []byte) []byte {
	line := bytes.TrimRight(d.line, "\r")
	d.line = d.line[:0]
	switch {
	case !d.begun:
		d.begun = bytes.HasPrefix(line, []byte("begin "))
		return out
	case bytes.Equal(line, []byte("end")):
		d.over = true
		return out
	case len(line) == 0:
		return out
	}
	n := int(line[0]-' ') & 63
	d.odd = d.odd || line[0] < ' ' || line[0] > '`' || len(line)-1 < (n+2)/3*4
	start := len(out)
	for i := 1; i+1 < len(line) && len(out)-start < n; i += 4 {
		out = appendUUGroup(out, line[i:min(i+4, len(line))])
	}
	return out[:min(len(out), start+n)]
}

func appendUUGroup(out, g []byte) []byte {
	var bits uint32
	for i := range 4 {
		bits <<= 6
		if i < len(g) {
			bits |= uint32(g[i]-' ') & 63
		}
	}
	return append(out, byte(bits>>16), byte(bits>>8), byte(bits))
}

func (d *uuDecoder) end(out []byte) []byte {
	if len(d.line) > 0 && !d.over {
		out = d.endLine(out)
	}
	return out
}
