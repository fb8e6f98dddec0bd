package tls

// choice is a ServerHello (RFC 8446, 4.1.3; RFC 5246, 7.4.1.3) as it stands
// on the wire, its parts borrowed from the message.
type choice struct {
	legacy, version, suite uint16 // version is the negotiated one
	random, session        []byte
	compressed             bool
	extensions             []byte // all of them
	nextensions            int
	protocol               []byte
	extendedMaster         bool
	encryptThenMAC         bool
	preShared              bool
}

// read says whether there is a hello, and whether its extensions are whole too.
func (c *choice) read(b []byte) (hello, whole bool) {
	r := reader{b: b}
	c.legacy = uint16(r.number(2))
	c.version = c.legacy
	c.random = r.take(randomLength)
	c.session = r.vector(1)
	c.suite = uint16(r.number(2))
	c.compressed = r.number(1) != 0
	list := r.extensions()
	c.extensions = list.b
	for list.more() {
		if kind, body := list.extension(); !list.short {
			c.extension(kind, body)
		}
	}
	return !r.short, !r.short && !list.short
}

func (c *choice) extension(kind int, body []byte) {
	c.nextensions++
	switch kind {
	case extSupportedVersions:
		r := reader{b: body}
		if v := r.number(2); !r.short {
			c.version = uint16(v)
		}
	case extALPN:
		first(&c.protocol, body)
	case extEncryptThenMAC:
		c.encryptThenMAC = true
	case extExtendedMaster:
		c.extendedMaster = true
	case extPreSharedKey:
		c.preShared = true
	}
}

func (w *Watch) serverHello(b []byte) {
	var c choice
	hello, whole := c.read(b)
	w.told().Damaged = w.told().Damaged || !whole
	switch {
	case !hello:
	case string(c.random) == retryRandom:
		w.retry, w.told().Retried = true, true
	default:
		w.retry = false
		w.negotiated(&c)
		if whole {
			w.fingerprintServer(&c)
		}
	}
}

func (w *Watch) negotiated(c *choice) {
	f := w.told()
	f.ServerHello = true
	f.Version, f.Cipher, f.ALPN = versionName(c.version), cipherName(c.suite), protocolName(c.protocol)
	f.Resumed = c.preShared && c.version >= version13
	w.version = c.version
	w.overhead = overheadOf(f.Cipher, c.version, c.encryptThenMAC)
	w.agreed(c)
}

// protocolName is the server's choice of a protocol (RFC 7301, 3.1), from its
// ServerHello or its EncryptedExtensions.
func protocolName(b []byte) string {
	r := reader{b: b}
	list := r.list(2)
	return printable(list.vector(1))
}

// encryptedExtensions reads what TLS 1.3 no longer says in the ServerHello
// (RFC 8446, 4.3.1).
func (w *Watch) encryptedExtensions(b []byte) {
	r := reader{b: b}
	var protocol []byte
	early := false
	list := r.list(2)
	for list.more() {
		kind, body := list.extension()
		switch {
		case list.short:
		case kind == extALPN:
			first(&protocol, body)
		case kind == extEarlyData:
			early = true
		}
	}
	w.opening.decide(early)
	w.told().Damaged = w.told().Damaged || r.short || list.short
	if protocol != nil {
		w.told().ALPN = protocolName(protocol)
	}
}
