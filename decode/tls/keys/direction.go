package keys

import "fmt"

// Record is one record as it was sent, whole.
type Record struct {
	Type    byte   // content type of the header
	Version uint16 // of the header, not the one agreed on
	Body    []byte // what follows the header
}

// maxRecord is the longest body (RFC 5246, 6.2.3).
const maxRecord = 1<<14 + 2048

// Direction opens the records of one direction. The zero value has no keys;
// Rekey gives them. It is not safe for concurrent use, nor to be copied once it
// has keys.
//
// What fails changes nothing: the same record can be tried again, with keys
// of another epoch for example.
type Direction struct {
	keyed *keyed
}

// keyed is a direction with its keys. The keys themselves are behind one more
// pointer: fmt follows the first where a verb does not fit.
type keyed struct {
	opener
	number     uint64 // of the next record
	protection protection
	traffic    *secret // TLS 1.3
	updates    bool    // a KeyUpdate may change it: application data
}

// opener opens records by one cipher.
type opener interface {
	// open appends the text of a record to dst. An error changes nothing.
	open(dst []byte, number uint64, r Record) (plain []byte, inner byte, err error)
	// pass takes over from a record that was not opened, as Direction.Skip.
	pass(n int, last []byte)
	wipe()
}

// Rekey gives the direction new keys, from the log: when the sender's
// ChangeCipherSpec has come (TLS 1.2 and older, after a renegotiation
// again), or when an epoch of TLS 1.3 begins. Records count from 0 again.
// epoch is ignored but for TLS 1.3. It fails with NoSecret or Unsupported, and
// then the direction keeps what it had.
//
// For EarlyData, Handshake.Suite is that of the session that is resumed.
func (d *Direction) Rekey(log *Log, hello *Handshake, from Sender, epoch Epoch) error {
	p, known := protectionOf(hello.Suite, hello.Version)
	if !known {
		return Unsupported
	}
	k, err := log.keys(p, hello, from, epoch)
	if err != nil {
		return err
	}
	d.Close()
	d.keyed = k
	return nil
}

func (l *Log) keys(p protection, hello *Handshake, from Sender, epoch Epoch) (*keyed, error) {
	if hello.Version == version13 {
		s, known := l.trafficOf(p, hello, from, epoch)
		if !known {
			return nil, NoSecret
		}
		defer s.wipe()
		return trafficKeyed(p, &s, epoch == Application), nil
	}
	s, known := l.masterOf(p, hello)
	if !known {
		return nil, NoSecret
	}
	defer s.wipe()
	m := keyBlock(p, hello, from, s.octets())
	defer m.wipe()
	return &keyed{opener: newOpener(p, hello, m), protection: p}, nil
}

func trafficKeyed(p protection, s *secret, updates bool) *keyed {
	m := trafficKeys(p, s.octets())
	defer m.wipe()
	own := *s
	return &keyed{opener: newAEAD(p, version13, m), protection: p, traffic: &own, updates: updates}
}

func newOpener(p protection, hello *Handshake, m material) opener {
	switch p.algorithm {
	case aesCBC, desCBC, tripleDES:
		return newBlock(p, hello, m)
	case rc4Stream:
		return newStream(p, m)
	}
	return newAEAD(p, hello.Version, m)
}

// Open opens the next record and appends its text to dst, which must not
// overlap the body; with enough room in dst, that of the body, nothing is
// allocated. inner is the content type of the text: that of the record, but
// in TLS 1.3 the one that was hidden in it. The text may be empty (RFC 5246,
// 6.2.1). On an error plain is dst; beyond its length dst may have changed.
func (d *Direction) Open(dst []byte, r Record) (plain []byte, inner byte, err error) {
	if d.keyed == nil {
		return dst, 0, NoKeys
	}
	return d.keyed.try(dst, 0, r)
}

// try opens a record as the one after ahead others.
func (k *keyed) try(dst []byte, ahead uint64, r Record) (plain []byte, inner byte, err error) {
	if len(r.Body) > maxRecord {
		return dst, 0, Malformed
	}
	plain, inner, err = k.open(dst, k.number+ahead, r)
	if err != nil {
		return dst, 0, err
	}
	k.number += ahead + 1
	return plain, inner, nil
}

// defaultAhead is how many numbers Resync tries.
const defaultAhead = 64

// Resync opens a record where others before it may have been lost, that were
// not reported to Skip or not by their number: it tries within numbers from
// the next one on (64 if within is below 1), and for application data of TLS
// 1.3 as many after a KeyUpdate that was lost. skipped is how many records it
// passed over, -1 where a KeyUpdate was among them. Otherwise it is as Open.
//
// A record that belongs nowhere costs as many tries, so Resync is for the
// records after a loss only. RC4 needs Skip: one try is all that it has.
func (d *Direction) Resync(dst []byte, r Record, within int) (plain []byte, inner byte, skipped int, err error) {
	k := d.keyed
	if k == nil {
		return dst, 0, 0, NoKeys
	}
	if within < 1 {
		within = defaultAhead
	}
	if k.protection.algorithm == rc4Stream {
		within = 1
	}
	plain, inner, skipped, err = k.tryAll(dst, r, within)
	if err != NotAuthentic || !k.updates {
		return plain, inner, skipped, err
	}
	next := k.next()
	if plain, inner, _, err = next.tryAll(dst, r, within); err != nil {
		next.wipe()
		return dst, 0, 0, err
	}
	d.Close()
	d.keyed = next
	return plain, inner, -1, nil
}

func (k *keyed) tryAll(dst []byte, r Record, within int) (plain []byte, inner byte, skipped int, err error) {
	for ahead := range within {
		if plain, inner, err = k.try(dst, uint64(ahead), r); err != NotAuthentic {
			return plain, inner, ahead, err
		}
	}
	return dst, 0, 0, NotAuthentic
}

// Skip says that n records passed which were not opened, n < 1 where the
// number is not known. last is the body of the last of them, empty where it
// was lost.
//
// The ciphers that chain records need last: CBC before TLS 1.1 its end; RC4
// every octet, so that there n must be 1. Without it Open fails with
// PlaceLost: CBC until Skip is given the body of a record, RC4 for good. With
// all others Skip may be left out, and Resync finds the number.
func (d *Direction) Skip(n int, last []byte) {
	if d.keyed == nil {
		return
	}
	d.keyed.number += uint64(max(n, 0))
	d.keyed.pass(n, last)
}

// Update goes on to the next keys of TLS 1.3, after a record that ends with a
// KeyUpdate of this direction's sender (RFC 8446, 4.6.3). For anything but
// application data of TLS 1.3 it fails with Unsupported.
func (d *Direction) Update() error {
	switch {
	case d.keyed == nil:
		return NoKeys
	case !d.keyed.updates:
		return Unsupported
	}
	next := d.keyed.next()
	d.Close()
	d.keyed = next
	return nil
}

func (k *keyed) next() *keyed {
	s := nextTraffic(k.protection.prf, k.traffic)
	defer s.wipe()
	return trafficKeyed(k.protection, &s, true)
}

func (k *keyed) wipe() {
	if k.traffic != nil {
		k.traffic.wipe()
	}
	k.opener.wipe()
}

// Close wipes the keys. What the ciphers of the standard library hold of them
// is only let go of.
func (d *Direction) Close() {
	if d.keyed != nil {
		d.keyed.wipe()
		d.keyed = nil
	}
}

// Keyed says whether the direction has keys.
func (d *Direction) Keyed() bool { return d.keyed != nil }

// Format prints whether there are keys, and nothing of them.
func (d Direction) Format(f fmt.State, _ rune) {
	if d.keyed == nil {
		fmt.Fprint(f, "direction without keys")
		return
	}
	fmt.Fprint(f, "direction with keys")
}
