package mail

// transferDecoder undoes a Content-Transfer-Encoding as its octets come. Its
// decode appends to out; odd says that the octets are not what the encoding
// makes, which was read as well as it can be.
type transferDecoder struct {
	name   encodingName
	base64 base64Decoder
	quoted quotedDecoder
	uu     uuDecoder
}

func (d *transferDecoder) reset(name encodingName) {
	*d = transferDecoder{name: name, quoted: quotedDecoder{held: d.quoted.held[:0]}, uu: uuDecoder{line: d.uu.line[:0]}}
}

// identity says that the octets stand as they are.
func (d *transferDecoder) identity() bool { return d.name == identityName || d.name == unknownName }

func (d *transferDecoder) decode(out, b []byte) []byte {
	switch d.name {
	case base64Name:
		return d.base64.decode(out, b)
	case quotedName:
		return d.quoted.decode(out, b)
	case uuName:
		return d.uu.decode(out, b)
	}
	return append(out, b...)
}

// end gives what was held back.
func (d *transferDecoder) end(out []byte) []byte {
	switch d.name {
	case quotedName:
		return d.quoted.end(out)
	case uuName:
		return d.uu.end(out)
	}
	return out
}

func (d *transferDecoder) odd() bool {
	return d.base64.odd || d.quoted.odd || d.uu.odd
}
