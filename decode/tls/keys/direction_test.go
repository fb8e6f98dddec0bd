package keys

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func each(t *testing.T, test func(t *testing.T, w way)) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) { test(t, w) })
	}
}

func (w way) stream() bool { p, _ := protectionOf(w.suite, w.version); return p.algorithm == rc4Stream }

// chained: the first record after a loss cannot be opened.
func (w way) chained() bool {
	p, _ := protectionOf(w.suite, w.version)
	return p.mac != 0 && !w.stream() && w.version == version10
}

func opens(t *testing.T, d *Direction, r Record, want string) {
	t.Helper()
	plain, inner, err := d.Open([]byte("kept"), r)
	if err != nil || string(plain) != "kept"+want || inner == 0 {
		t.Errorf("%d octets of type %d, %v, instead of %q", len(plain), inner, err, want)
	}
}

func fails(t *testing.T, d *Direction, r Record, want Error) {
	t.Helper()
	if plain, inner, err := d.Open([]byte("kept"), r); err != want || string(plain) != "kept" || inner != 0 {
		t.Errorf("%q of type %d, %v instead of %v", plain, inner, err, want)
	}
}

func TestOpen(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		d, s := w.start(t)
		for i, text := range []string{"250 ok\r\n", "", "x", strings.Repeat("y", 1<<14), "250 bye\r\n"} {
			r := s.seal(typeHandshake+byte(i&1), []byte(text), i)
			body := bytes.Clone(r.Body)
			plain, inner, err := d.Open(nil, r)
			if err != nil || string(plain) != text || inner != typeHandshake+byte(i&1) {
				t.Errorf("record %d: %d octets of type %d, %v", i, len(plain), inner, err)
			}
			if !bytes.Equal(body, r.Body) {
				t.Errorf("record %d was changed", i)
			}
		}
	})
}

// TestDamage: what is changed does not open, and the true record still does.
func TestDamage(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		d, s := w.start(t)
		for _, text := range []string{"first", "second"} {
			r := s.seal(typeData, []byte(text), 0)
			for i := range r.Body {
				bent := bytes.Clone(r.Body)
				bent[i] ^= 0x40
				fails(t, d, Record{r.Type, r.Version, bent}, NotAuthentic)
			}
			for n := range r.Body {
				if _, _, err := d.Open(nil, Record{r.Type, r.Version, r.Body[:n]}); err != NotAuthentic && err != Malformed {
					t.Errorf("%d octets: %v", n, err)
				}
			}
			if w.version < version13 {
				fails(t, d, Record{typeAlert, r.Version, r.Body}, NotAuthentic)
			} else {
				fails(t, d, Record{typeAlert, r.Version, r.Body}, Unprotected)
			}
			fails(t, d, Record{r.Type, r.Version ^ 1, r.Body}, NotAuthentic)
			fails(t, d, Record{r.Type, r.Version, make([]byte, maxRecord+1)}, Malformed)
			opens(t, d, r, text)
			if !w.stream() { // a repeated record is the one before: not the next
				fails(t, d, r, NotAuthentic)
			}
		}
	})
}

func number(i int) string { return fmt.Sprintf("250 reply %d\r\n", i) }

// TestLossOfKnownRecords: Skip is told how many were lost, and has the last.
func TestLossOfKnownRecords(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		d, s := w.start(t)
		opens(t, d, s.seal(typeData, []byte(number(0)), 0), number(0))
		for i := range 5 {
			d.Skip(1, s.seal(typeData, bytes.Repeat([]byte(number(i)), i*20), 0).Body)
		}
		opens(t, d, s.seal(typeData, []byte(number(6)), 0), number(6))
	})
}

// TestLossOfUnknownRecords: the number is found, up to the limit.
func TestLossOfUnknownRecords(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		for _, lost := range []int{0, 1, 7, 63, 64} {
			d, s := w.start(t)
			opens(t, d, s.seal(typeData, []byte(number(0)), 0), number(0))
			for range lost {
				s.seal(typeData, []byte("250 lost\r\n"), 0)
			}
			d.Skip(0, nil)
			if w.stream() {
				fails(t, d, s.seal(typeData, nil, 0), PlaceLost)
				d.Skip(1, []byte("any"))
				fails(t, d, s.seal(typeData, nil, 0), PlaceLost)
				continue
			}
			if w.chained() { // one more is lost: the next has its vector from it
				r := s.seal(typeData, []byte("more"), 0)
				if _, _, _, err := d.Resync(nil, r, 0); err != PlaceLost {
					t.Errorf("without a vector: %v", err)
				}
				d.Skip(1, r.Body)
			}
			r := s.seal(typeData, []byte(number(1)), 0)
			plain, _, skipped, err := d.Resync(nil, r, 0)
			if lost == 64 {
				if err != NotAuthentic || skipped != 0 {
					t.Errorf("%d lost: %d, %v", lost, skipped, err)
				}
				if plain, _, skipped, err = d.Resync(nil, r, 65); err != nil {
					t.Errorf("%d lost, of 65: %v", lost, err)
				}
			}
			if string(plain) != number(1) || skipped != lost {
				t.Errorf("%d lost: %q after %d, %v", lost, plain, skipped, err)
			}
			opens(t, d, s.seal(typeData, []byte(number(2)), 0), number(2))
		}
	})
}

// TestKeyUpdate: the keys go on, also where the KeyUpdate was lost.
func TestKeyUpdate(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		d, s := w.start(t)
		if w.version < version13 {
			if err := d.Update(); err != Unsupported {
				t.Error(err)
			}
			return
		}
		traffic := secret{n: uint8(s.p.prf.Size())}
		copy(traffic.b[:], bytes.Repeat([]byte{0xA4}, int(traffic.n)))
		update := func() {
			traffic = nextTraffic(s.p.prf, &traffic)
			s.m, s.number = trafficKeys(s.p, traffic.octets()), 0
		}
		keyUpdate := []byte{24, 0, 0, 1, 0}
		opens(t, d, s.seal(typeHandshake, keyUpdate, 0), string(keyUpdate))
		if err := d.Update(); err != nil {
			t.Fatal(err)
		}
		update()
		opens(t, d, s.seal(typeData, []byte("one"), 9), "one")

		update() // and three records after it are lost
		for range 3 {
			s.seal(typeData, nil, 0)
		}
		r := s.seal(typeData, []byte("two"), 0)
		fails(t, d, r, NotAuthentic)
		if plain, _, skipped, err := d.Resync(nil, r, 4); string(plain) != "two" || skipped != -1 || err != nil {
			t.Errorf("%q after %d, %v", plain, skipped, err)
		}
		opens(t, d, s.seal(typeData, []byte("three"), 0), "three")
	})
}

// TestRekey: the epochs of TLS 1.3 and the handshakes of older versions have
// their own keys, numbered from 0.
func TestRekey(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		log := logOf(t, []byte(w.keyLog()))
		d := new(Direction)
		first, second := w.hello(), w.hello()
		epoch := HandshakeMessages
		if w.version < version13 {
			second.ServerRandom[0]++
			epoch = Application
		}
		if err := d.Rekey(log, first, Server, epoch); err != nil {
			t.Fatal(err)
		}
		s := newSealer(t, log, first, epoch)
		opens(t, d, s.seal(typeHandshake, []byte("one"), 0), "one")
		if err := d.Update(); err != Unsupported {
			t.Error(err)
		}
		s = newSealer(t, log, second, Application)
		next := s.seal(typeHandshake, []byte("two"), 0)
		fails(t, d, next, NotAuthentic)
		if err := d.Rekey(log, second, Server, Application); err != nil {
			t.Fatal(err)
		}
		opens(t, d, next, "two")

		unknown := *second
		unknown.ClientRandom[0]++
		if err := d.Rekey(log, &unknown, Server, Application); err != NoSecret {
			t.Error(err)
		}
		if err := d.Rekey(nil, second, Server, Application); err != NoSecret {
			t.Error(err)
		}
		opens(t, d, s.seal(typeData, []byte("three"), 0), "three")
		d.Close()
		fails(t, d, next, NoKeys)
		if _, _, _, err := d.Resync(nil, next, 0); err != NoKeys || d.Update() != NoKeys || d.Keyed() {
			t.Error("closed keys are used")
		}
		d.Skip(1, nil)
		d.Close()
	})
}

func TestUnsupported(t *testing.T) {
	for _, w := range []way{
		{"SSL 3.0", 0x0300, 0x002F, false}, {"unknown", version12, 0x7777, false}, {"Camellia", version12, 0x0041, false},
		{"of 1.3 in 1.2", version12, 0x1301, false}, {"of 1.2 in 1.3", version13, 0xC02F, false},
		{"GCM in 1.1", version11, 0xC02F, false}, {"no version", 0, 0xC02F, false}, {"later", 0x0305, 0x1301, false},
	} {
		if err := new(Direction).Rekey(logOf(t, []byte(w.keyLog())), w.hello(), Server, Application); err != Unsupported {
			t.Errorf("%s: %v", w.name, err)
		}
	}
	w := wayNamed("1.3 AES-128-GCM")
	if err := new(Direction).Rekey(logOf(t, []byte(w.keyLog())), w.hello(), Server, EarlyData); err != NoSecret {
		t.Errorf("early data of the server: %v", err)
	}
	w.suite = 0x1302 // whose secrets are longer than those of the log
	short := logOf(t, []byte(wayNamed("1.3 AES-128-GCM").keyLog()))
	if err := new(Direction).Rekey(short, w.hello(), Server, Application); err != NoSecret {
		t.Errorf("a secret of another length: %v", err)
	}
}

// TestPaddingAlone: a text of zeros has no content type (RFC 8446, 5.4).
func TestPaddingAlone(t *testing.T) {
	d, s := wayNamed("1.3 AES-256-GCM").start(t)
	fails(t, d, s.seal(0, make([]byte, 30), 30), Malformed)
}

// TestClosedKeysAreWiped looks at what Close leaves behind.
func TestClosedKeysAreWiped(t *testing.T) {
	each(t, func(t *testing.T, w way) {
		d, s := w.start(t)
		opens(t, d, s.seal(typeData, []byte("text"), 0), "text")
		k := d.keyed
		d.Close()
		if k.traffic != nil && *k.traffic != (secret{}) {
			t.Error("the traffic secret is left")
		}
		switch o := k.opener.(type) {
		case *aead:
			if o.vector != [nonceLength]byte{} || o.AEAD != nil {
				t.Error("keys are left")
			}
		case *block:
			if o.vector != [16]byte{} || o.mode != nil || o.Hash != nil {
				t.Error("keys are left")
			}
		case *stream:
			if !reflect.ValueOf(o.cipher).Elem().IsZero() || !reflect.ValueOf(o.trial).IsZero() || o.Hash != nil {
				t.Error("keys are left")
			}
		}
	})
}

// TestErrorsSayWhat: each in other words, none with octets.
func TestErrorsSayWhat(t *testing.T) {
	seen := make(map[string]bool)
	for e := Error(0); e <= PlaceLost+1; e++ {
		seen[e.Error()] = true
	}
	if len(seen) != int(PlaceLost)+1 {
		t.Error(len(seen), "sentences")
	}
}
