package tls

// offer is a ClientHello (RFC 8446, 4.1.2) as it stands on the wire. Its
// parts are borrowed from the message. Of an extension that stands twice,
// which no client may send, the first is read.
type offer struct {
	legacy      uint16 // the version field, which TLS 1.3 no longer raises
	random      []byte
	suites      []byte
	extensions  []byte // all of them
	nextensions int

	// Bodies of extensions, nil where the extension is not there.
	serverName, groups, pointFormats, signatures, protocols, versions, ticket []byte

	earlyData bool
}

// read says whether there is a hello, and whether its extensions are whole too.
func (o *offer) read(b []byte) (hello, whole bool) {
	r := reader{b: b}
	o.legacy = uint16(r.number(2))
	o.random = r.take(randomLength)
	r.vector(1) // session id
	o.suites = r.vector(2)
	r.vector(1) // compression methods
	hello = !r.short
	list := r.extensions()
	o.extensions = list.b
	for list.more() {
		if kind, body := list.extension(); !list.short {
			o.extension(kind, body)
		}
	}
	return hello, !r.short && !list.short && len(o.suites)%2 == 0
}

func (o *offer) extension(kind int, body []byte) {
	o.nextensions++
	switch kind {
	case extServerName:
		first(&o.serverName, body)
	case extSupportedGroups:
		first(&o.groups, body)
	case extPointFormats:
		first(&o.pointFormats, body)
	case extSignatureAlgorithms:
		first(&o.signatures, body)
	case extALPN:
		first(&o.protocols, body)
	case extSupportedVersions:
		first(&o.versions, body)
	case extSessionTicket:
		first(&o.ticket, body)
	case extEarlyData:
		o.earlyData = true
	}
}

func first(field *[]byte, body []byte) {
	if *field == nil {
		*field = body
	}
}

// clientHello reads the first ClientHello. The second, which a
// HelloRetryRequest asks for, says the same but for what the server wanted.
func (w *Watch) clientHello(b []byte) {
	var o offer
	hello, whole := o.read(b)
	f := w.told()
	f.ClientHello = hello
	f.Damaged = f.Damaged || !whole
	f.SNI = hostName(o.serverName)
	if w.opening != nil && hello {
		w.opening.offered(&o)
	}
	w.earlyData = o.earlyData
	if hello {
		f.OfferedVersion = offeredVersion(o.highest())
	}
	// Where the first hello was lost this is the second: shaped by the
	// server's request, its fingerprint would not be the client's own.
	if whole && !(f.Retried && w.client.lost) {
		w.fingerprint(&o)
	}
}

// highest is the highest version that is offered (RFC 8446, 4.2.1), 0 where
// the list of them names none.
func (o *offer) highest() uint16 {
	if o.versions == nil {
		return o.legacy
	}
	r := reader{b: o.versions}
	list := r.list(1)
	best := 0
	for list.more() {
		if v := list.number(2); !grease(v) {
			best = max(best, v)
		}
	}
	return uint16(best)
}

func offeredVersion(v uint16) string {
	if v == 0 {
		return ""
	}
	return versionName(v)
}

// hostName finds the host_name of a list of names (RFC 6066, 3).
func hostName(b []byte) string {
	r := reader{b: b}
	list := r.list(2)
	for list.more() {
		kind := list.number(1)
		name := list.vector(2)
		if kind == 0 && !list.short {
			return printable(name)
		}
	}
	return ""
}
