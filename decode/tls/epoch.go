package tls

import (
	"bytes"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// early is what became of early data (RFC 8446, 4.2.10). What the server does
// not accept it has not read, and the client says it again.
type early uint8

const (
	none early = iota
	undecided
	rejected
	accepted
	uncertain // the server's decision was lost
)

// offered takes what the client's hello has for the derivation of keys.
func (o *opening) offered(offer *offer) {
	copy(o.hello.ClientRandom[:], offer.random)
	o.hello.Ticket = bytes.Clone(offer.ticket)
	o.exchanged = false
	if offer.earlyData {
		o.early = undecided
	}
}

// chosen takes what the server's hello has for it.
func (o *opening) chosen(c *choice) {
	h := &o.hello
	h.Version, h.Suite = c.version, c.suite
	copy(h.ServerRandom[:], c.random)
	h.EncryptThenMAC, h.ExtendedMaster = c.encryptThenMAC, c.extendedMaster
	h.SessionID = bytes.Clone(c.session)
	h.PreMaster, h.SessionHash = nil, nil
	o.ticket = nil
	o.off = o.off || c.compressed // what was opened would be no text
	o.transcript.choose(c)
}

// agreed ends the hellos: what is protected can be opened from here on, if
// both were seen.
func (w *Watch) agreed(c *choice) {
	o := w.opening
	if o == nil {
		return
	}
	o.chosen(c)
	o.off = o.off || !w.told().ClientHello || w.sslv2
	if c.version >= version13 {
		for i := range o.sides {
			o.sides[i].enter(keys.HandshakeMessages)
		}
	}
	if c.version < version13 || !c.preShared || w.told().Retried {
		o.decide(false)
	}
}

// enter begins an epoch, whose records count from 0.
func (d *direction) enter(epoch keys.Epoch) {
	d.epoch, d.begun, d.pending, d.passed = epoch, true, true, 0
}

// change is the ChangeCipherSpec of versions up to TLS 1.2. All before the
// first was in clear: what was lost of it was no text.
func (d *direction) change() {
	if !d.begun {
		d.lost = 0
	}
	d.enter(keys.Application)
}

// missedChange is application data without a ChangeCipherSpec: it was lost, and
// the Finished was lost with it or taken for a message in clear.
func (d *direction) missedChange() {
	passed := d.passed + 2
	d.enter(keys.Application)
	d.passed = passed
}

// decide takes what the server says of early data, so that what was parked
// can be opened. Where it is refused, and of what came before a full hello was
// read, the records that do not open were passed over by the server as well.
func (o *opening) decide(accepts bool) {
	if o == nil || o.early != undecided {
		return
	}
	o.early, o.decided = rejected, true
	d := &o.sides[keys.Client]
	switch {
	case accepts:
		o.early = accepted
		d.enter(keys.EarlyData)
	case o.hello.Version >= version13:
		d.passing = true
	default: // an older server: the client has to begin anew
		o.waiting.held = nil
		o.octets = 0
	}
}

// rekey takes the keys of an epoch from the log. A log may have those of
// application data only, which are written behind the others.
func (o *opening) rekey(d *direction, from keys.Sender) error {
	epoch := d.epoch
	err := d.key.Rekey(o.log, &o.hello, from, epoch)
	for err == keys.NoSecret && o.hello.Version >= version13 && epoch > keys.Application {
		epoch--
		err = d.key.Rekey(o.log, &o.hello, from, epoch)
	}
	if err == nil {
		d.passing = d.passing || epoch != d.epoch
		d.epoch, d.pending = epoch, false
	}
	return err
}

// keying says which messages are read for the keys.
func (w *Watch) keying(s *side, inner bool, kind byte) bool {
	o := w.opening
	if o == nil || o.off || w.version >= version13 {
		return false
	}
	switch kind {
	case messageClientHello:
		return s == &w.client && inner
	case messageServerHello:
		return s == &w.server && inner
	case messageClientKeyExchange:
		return s == &w.client
	case messageNewSessionTicket:
		return s == &w.server
	}
	return false
}

// rekeyed takes a message by which keys change. Its body is there only where
// it was wanted.
func (w *Watch) rekeyed(s *side, inner bool, m *messages, kind byte, body []byte) {
	o := w.opening
	switch {
	case w.version >= version13:
		if inner {
			w.rekeyed13(w.sender(s), kind)
		}
	case kind == messageFinished && inner:
		w.finished(w.sender(s))
		if s == &w.server {
			o.remember()
		}
		if o.exchanged == (s == &w.server) { // the last of the handshake
			o.hello.Ticket, o.hello.PreMaster, o.hello.SessionHash = nil, nil, nil
		}
	case !m.keep || m.fact:
	case kind == messageClientHello:
		var again offer
		if hello, _ := again.read(body); hello {
			o.offered(&again)
			o.early = none
		}
	case kind == messageServerHello:
		var again choice
		if hello, _ := again.read(body); hello {
			o.chosen(&again)
		}
	case kind == messageClientKeyExchange:
		o.keyExchange(body)
	case kind == messageNewSessionTicket: // RFC 5077, 3.3
		r := reader{b: body}
		r.take(4)
		o.ticket = bytes.Clone(r.vector(2))
	}
}

func (w *Watch) rekeyed13(from keys.Sender, kind byte) {
	o := w.opening
	d := &o.sides[from]
	switch kind {
	case messageEndOfEarlyData:
		if from == keys.Client && d.epoch == keys.EarlyData {
			d.enter(keys.HandshakeMessages)
		}
	case messageFinished:
		w.finished(from)
		if d.epoch == keys.Application {
			return
		}
		if from == keys.Server {
			o.decide(false) // it did not accept
		}
		if from == keys.Server || o.early < accepted {
			d.lost = 0 // of the handshake, no text
		}
		d.enter(keys.Application)
	case messageKeyUpdate:
		// No KeyUpdate stands before the Finished: there is nothing to update.
		_ = d.key.Update()
	}
}

// keyExchange takes the pre-master secret as the client encrypted it, which
// names it in some logs (RFC 5246, 7.4.7.1).
func (o *opening) keyExchange(body []byte) {
	o.exchanged = true
	o.hello.Ticket = nil // it was declined
	r := reader{b: body}
	if secret := r.vector(2); r.spent() {
		o.hello.PreMaster = bytes.Clone(secret)
	}
	o.hello.SessionHash = o.transcript.sum()
}

// remember names the session for those that resume it.
func (o *opening) remember() {
	if o.exchanged && len(o.hello.SessionID) > 0 || len(o.ticket) > 0 {
		// It fails where the log has dropped the secret: then no other
		// connection can use it.
		_ = o.log.Remember(&o.hello, o.ticket)
	}
	o.ticket = nil
}
