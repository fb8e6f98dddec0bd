// Package tls tells what the wire shows of a TLS connection: the hellos and their fingerprints, certificates sent in clear
// and their problems, alerts, and what the sizes of encrypted records give
// away. It owns the record layer and the reassembly of handshake messages (RFC
// 8446, 5; RFC 5246, 6.2), and when keys change; package keys opens the records.
//
// sessions feeds a Watch with both directions of a connection, from the first
// octet of the client's hello on, pulls what they carried, and reads the Facts.
// The package never polices the protocol, never shows text that does not
// authenticate, never keeps text beyond the next feed and never does I/O. How
// the octets are cut into feeds changes nothing.
package tls

import "github.com/mailtap/mailtap/decode/tls/keys"

// Options bounds what a Watch holds. The zero value means the defaults.
type Options struct {
	// MaxHandshake is the largest handshake message held, in octets, for each
	// direction; a larger one is skipped and LimitReached is set. Default 64 KiB.
	MaxHandshake int
	// MaxOffered is how many cipher suites, extensions, groups or signature
	// algorithms, each, a hello may list to be fingerprinted: sorting costs
	// time. Above it there is no fingerprint. Default 512, more than are assigned.
	MaxOffered int
	// MaxCertificate is the largest certificate that is parsed, in octets.
	// Default 16 KiB: parsing and checking cost time by the size.
	MaxCertificate int
	// MaxNames is how many names of a certificate are kept. Default 100.
	MaxNames int
	// MaxChain is how many certificates behind the leaf are kept. Default 10.
	MaxChain int
	// Seen remembers certificates over connections: a server shows the same
	// ones each time. nil reads each anew. The Watches that share it need the
	// same limits.
	Seen *Certificates
	// Hellos remembers fingerprints over connections likewise: clients of a kind
	// send the same hello. nil makes each anew.
	Hellos *Hellos
	// Keys holds the secrets by which records are opened, for all Watches. nil
	// opens nothing, and holds nothing for it.
	Keys *keys.Log
	// MaxWaiting is how many octets of records are held, of both directions,
	// while Keys does not have the secrets yet. What comes beyond it is lost to
	// the text (Facts.WaitingLimit), and after as much again nothing is held or
	// opened any more. Default 256 KiB.
	MaxWaiting int
}

func (o *Options) maxHandshake() int   { return orDefault(o.given().MaxHandshake, 64<<10) }
func (o *Options) maxCertificate() int { return orDefault(o.given().MaxCertificate, 16<<10) }
func (o *Options) maxNames() int       { return orDefault(o.given().MaxNames, 100) }
func (o *Options) maxOffered() int     { return orDefault(o.given().MaxOffered, 512) }
func (o *Options) maxChain() int       { return orDefault(o.given().MaxChain, 10) }
func (o *Options) maxWaiting() int     { return orDefault(o.given().MaxWaiting, 256<<10) }

func (o *Options) given() Options {
	if o == nil {
		return Options{}
	}
	return *o
}

func orDefault(n, standard int) int {
	if n > 0 {
		return n
	}
	return standard
}

// Watch follows one TLS connection. The zero value is ready; set Options
// before the first feed. It is not safe for concurrent use.
//
// Both directions are fed as they were captured: what the server sends after
// it has seen something of the client should be fed after it. Where that
// order is lost the inferences of Facts (Failed by an encrypted alert,
// ClosedByQuit) may be missing; what was read in clear is not affected.
//
// A Watch has 120 octets. Behind them stand the Facts, which are not touched
// behind the handshake, and during it the messages that come in parts.
type Watch struct {
	client, server side

	version  uint16 // that was negotiated; 0: not known
	overhead overhead

	earlyData bool // the client offered data ahead of the handshake (RFC 8446, 4.2.10)
	retry     bool // a HelloRetryRequest was seen and no ServerHello yet
	sslv2     bool // the client's hello had the format of SSL 2.0
	full      bool // the server sent a Certificate, key exchange or ServerHelloDone
	fatal     bool // an alert in clear ended the handshake

	refused       bool // the server's newest record has the size of an alert, and nothing before it answered the client's Finished
	serverSpoke   bool // the server sent a record after the client's first encrypted one
	clientClosing bool // the client sent a record of an alert's size
	quit          bool // the client's newest record carries six octets
	quitAnswered  bool // and a short record of the server followed

	sealed bool // nothing is opened any more
	inside inside

	opening *opening // nil without Options.Keys, and when there is nothing more to open

	Options *Options // nil: the defaults; Watches share it
	// Mark is the caller's own: Plain hands it back.
	Mark int64

	facts    *Facts // what was read; the rest is inferred by Facts
	assembly *assembly
}

// Client takes the next octets of the client's direction. They are borrowed:
// nothing of b is kept after the return.
func (w *Watch) Client(b []byte) { w.feed(&w.client, b) }

// Server takes the next octets of the server's direction, borrowed likewise.
func (w *Watch) Server(b []byte) { w.feed(&w.server, b) }

// Held is the memory that messages and records take that wait for the rest of them
// or for secrets.
func (w *Watch) Held() int {
	n := 0
	if a := w.assembly; a != nil {
		n = cap(a.clear[0].buf) + cap(a.clear[1].buf) + cap(a.inner[0].buf) + cap(a.inner[1].buf)
	}
	if w.opening != nil {
		n += w.opening.octets
	}
	return n
}

// ClientGap says that n octets of the client's direction were lost; n < 1
// where the number is not known. Inside the body of a record the framing
// survives the loss. Otherwise reading goes on if the octets that follow
// begin with a plausible record header, and else this direction is given up
// for good (Facts.Incomplete, Facts.Damaged). A connection whose start was
// missed is fed a gap first, else its octets would be taken for no TLS.
func (w *Watch) ClientGap(n int64) { w.gap(&w.client, n) }

// ServerGap is ClientGap for the server's direction.
func (w *Watch) ServerGap(n int64) { w.gap(&w.server, n) }

func (w *Watch) feed(s *side, b []byte) {
	if w.opens() {
		w.before()
	}
	for len(b) > 0 && s.state != abandoned {
		if s.left == 0 {
			b = w.header(s, b)
			continue
		}
		n := min(int(s.left), len(b))
		w.body(s, b[:n])
		s.left -= uint16(n)
		b = b[n:]
		if s.left == 0 {
			w.end(s)
		}
	}
	if w.opening != nil {
		w.reopen()
	}
}

func (w *Watch) gap(s *side, n int64) {
	if w.opens() {
		w.before()
	}
	s.lost = true
	w.quit, w.quitAnswered = false, false
	if o := w.opening; o != nil {
		o.sides[w.sender(s)].fed += max(n, 0)
		o.transcript = transcript{} // octets were lost
	}
	if s.state == abandoned {
		return
	}
	if n < 1 || n > int64(s.left) {
		w.missed(s, n)
		w.resync(s)
		return
	}
	s.left -= uint16(n)
	w.losePart(s, int(n))
	if s.left == 0 {
		w.end(s)
	}
}

// Established says whether the handshake is known to have been completed. It
// is Facts().Established without the copy.
func (w *Watch) Established() bool {
	switch {
	case w.fatal:
		return false
	case w.inside.done():
		return true
	case w.version >= version13:
		return w.established13()
	case w.client.finished && w.server.finished:
		return true
	case w.version == 0: // the hellos were lost
		return w.serverSpoke
	}
	// The Finished of a direction with a loss may be what was lost: a server
	// sends data only when it has the client's (RFC 5246, 7.3).
	return w.server.records > 0
}

// Settled says that how the handshake went will not turn out otherwise. A TLS
// 1.3 handshake counts as Established from the client's Finished on; it is
// settled when the server's next record shows whether it was accepted.
// Costs as little as Established.
func (w *Watch) Settled() bool {
	switch {
	case w.fatal:
		return true
	case w.inside.done() && w.version >= version13:
		return w.inside.answered || w.serverSpoke && !w.refused || w.client.records > clientFlight
	case w.clientRefused():
		return true
	case w.version < version13:
		return w.Established()
	case w.refused:
		return !w.lost()
	}
	return w.Established() && (w.serverSpoke || w.client.records > clientFlight)
}

// clientFlight is what a client may send before it learns that it was refused:
// Certificate, CertificateVerify, Finished and a command.
const clientFlight = 4

// established13 needs the server's encrypted flight and an answer of the
// client that is no alert. Where octets of the server were lost its alert may
// have been among them: then it must have spoken, or the client gone on.
func (w *Watch) established13() bool {
	switch {
	case w.server.records == 0 || w.client.records == 0 || w.clientRefused() || w.refused:
		return false
	case w.server.lost:
		return w.serverSpoke || w.client.records > clientFlight
	}
	return true
}

// clientRefused says that the first that the client encrypted was an alert.
func (w *Watch) clientRefused() bool {
	return w.version >= version13 && w.client.records > 0 && int(w.client.first) == w.overhead.record(alertLength)
}

// told is where facts are noted.
func (w *Watch) told() *Facts {
	if w.facts == nil {
		w.facts = new(Facts)
	}
	return w.facts
}

// Facts tells what is known by now.
func (w *Watch) Facts() Facts {
	var f Facts
	if w.facts != nil {
		f = *w.facts
	}
	f.Established = w.Established()
	f.Incomplete = w.lost()
	f.ClosedByQuit = f.Established && (w.inside.quitAnswered || w.quitAnswered && !f.Decrypted)
	if f.Established {
		return f
	}
	switch {
	case w.fatal:
		f.Failed = true
	case w.clientRefused():
		f.Failed, f.AlertFrom = true, fromClient
	case w.version >= version13 && w.refused && !w.lost():
		f.Failed, f.AlertFrom = true, fromServer
	}
	return f
}
