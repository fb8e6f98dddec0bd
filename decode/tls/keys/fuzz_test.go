package keys

import (
	"bytes"
	"fmt"
	"maps"
	"testing"
)

// FuzzLog feeds hostile key logs: cuts change nothing, what is held stays
// within the limits, each line counts once at most.
func FuzzLog(f *testing.F) {
	for i, c := range lines {
		f.Add([]byte(c.text+"\n"), uint8(i))
	}
	f.Add([]byte(masterLine(1)+masterLine(2)+masterLine(3)+masterLine(1)+ways[0].keyLog()), uint8(50))
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		options := Options{MaxSecrets: 2, MaxLine: 250}
		whole, cut := &Log{Options: options}, &Log{Options: options}
		whole.Write(text)
		cut.Write(nil)
		for b := text; len(b) > 0; {
			n := min(len(b), int(size)+1)
			cut.Write(b[:n])
			b = b[n:]
		}
		s := whole.Stats()
		if cut.Stats() != s || !maps.Equal(contents(cut), contents(whole)) {
			t.Errorf("whole %+v, cut %+v", s, cut.Stats())
		}
		if s.Held > 2 || cap(whole.line.b) > 250 || cap(cut.line.b) > 250 {
			t.Errorf("%d connections and %d octets of a line are held", s.Held, cap(whole.line.b))
		}
		if n := s.Secrets + s.Comments + s.Unused + s.Malformed; n > uint64(bytes.Count(text, []byte("\n"))) {
			t.Errorf("%d lines counted", n)
		}
		if s.Secrets != whole.Generation() || s.Secrets < uint64(s.Held)+s.Evicted {
			t.Errorf("%+v at generation %d", s, whole.Generation())
		}
		for _, all := range []*Log{whole, cut} {
			if out := fmt.Sprintf("%v %#v", all, struct{ l *Log }{all}); len(out) > 300 {
				t.Errorf("fmt prints %d octets", len(out))
			}
		}
		newest := whole.newest
		whole.Wipe()
		if newest != nil && *newest != (entry{}) {
			t.Error("a secret was left")
		}
	})
}

// FuzzOpen gives hostile records to each cipher: none opens, none changes
// anything, and the true record opens after them.
func FuzzOpen(f *testing.F) {
	for i, w := range ways {
		_, s := w.start(f)
		r := s.seal(typeData, []byte("250 ok\r\n"), 0)
		f.Add(uint8(i), r.Type, r.Version, r.Body[:len(r.Body)-1], uint8(3))
		f.Add(uint8(i), r.Type, r.Version, bytes.Repeat(r.Body, 3), uint8(0))
		f.Add(uint8(i), uint8(typeAlert), r.Version, []byte{}, uint8(1))
	}
	f.Fuzz(func(t *testing.T, which, kind uint8, version uint16, body []byte, lost uint8) {
		w := ways[int(which)%len(ways)]
		d, s := w.start(t)
		opens(t, d, s.seal(typeData, []byte("first"), 0), "first")
		next := s.seal(typeData, []byte("next"), 0)
		hostile := Record{kind, version, bytes.Clone(body)}
		if next.Type == kind && next.Version == version && bytes.Equal(next.Body, body) {
			return
		}
		dst := []byte("kept")
		plain, inner, err := d.Open(dst, hostile)
		if err == nil || inner != 0 || string(plain) != "kept" {
			t.Errorf("%d octets of type %d, %v", len(plain), inner, err)
		}
		if plain, _, _, err := d.Resync(dst, hostile, int(lost%4)+1); err == nil || string(plain) != "kept" {
			t.Errorf("%d octets, %v", len(plain), err)
		}
		if !bytes.Equal(hostile.Body, body) {
			t.Error("the body was changed")
		}
		opens(t, d, next, "next")

		d.Skip(int(int8(lost)), body) // whatever it does, it does no harm
		d.Open(nil, hostile)
		if err := d.Update(); (err == nil) != (w.version == version13) {
			t.Error(err)
		}
	})
}
