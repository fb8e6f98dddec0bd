package tls

import (
	"bytes"
	"testing"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// mutation is what happens to a conversation at an octet of one direction.
type mutation struct {
	kind   byte // flip, gap, octets of nobody, or the secrets come
	client bool
	at, n  int
}

// mutations reads four octets for each.
func mutations(input []byte) (all []mutation) {
	for ; len(input) >= 4 && len(all) < 40; input = input[4:] {
		all = append(all, mutation{input[0] >> 1 % 4, input[0]&1 != 0, int(input[1])<<8 | int(input[2]), int(input[3])})
	}
	return all
}

// mutated plays a conversation with mutations, in feeds of at most width octets.
func mutated(t testing.TB, text string, chunks []chunk, all []mutation, width, limit int) *listener {
	log := new(keys.Log)
	if late := func() bool {
		for _, m := range all {
			if m.kind == 3 {
				return true
			}
		}
		return false
	}(); !late {
		log.Write([]byte(text))
	}
	l := &listener{t: t, w: &Watch{Options: &Options{Keys: log, MaxWaiting: limit}}, least: 1}
	var place [2]int
	var lost [2]int
	for _, c := range chunks {
		side := index(c.client)
		rest := bytes.Clone(c.b)
		for len(rest) > 0 {
			n := len(rest)
			for _, m := range all {
				if m.client != c.client {
					continue
				}
				switch {
				case m.at == place[side]:
					switch m.kind {
					case 0:
						rest[0] ^= 1 << (m.n % 8)
					case 1:
						lost[side] = max(lost[side], m.n)
					case 2:
						// In place of what was sent: nothing else keeps the places.
						copy(rest, record(typeApplicationData, make([]byte, m.n)))
					case 3:
						log.Write([]byte(text))
					}
				case m.at > place[side]:
					n = min(n, m.at-place[side])
				}
			}
			if lost[side] > 0 {
				n = min(n, lost[side])
				lost[side] -= n
				l.gap(c.client, int64(n))
			} else {
				for b := rest[:n]; len(b) > 0; b = b[min(width, len(b)):] {
					l.feed([]chunk{{c.client, b[:min(width, len(b))]}})
				}
			}
			place[side] += n
			rest = rest[n:]
		}
	}
	log.Write([]byte(text))
	l.pull()
	return l
}

// FuzzPlain damages real conversations: each text that is told was said, in
// that order, what is missing is told, and cuts change nothing.
func FuzzPlain(f *testing.F) {
	var texts []string
	var all [][]chunk
	var whole []*listener
	for _, name := range withKeys[:6] {
		texts, all = append(texts, keyLog(f, ofCapture(name))), append(all, conversation(f, name))
		whole = append(whole, listen(f, logOf(f, texts[len(texts)-1]), all[len(all)-1]))
	}
	for i := range whole {
		f.Add(byte(i), []byte{})
		f.Add(byte(i), []byte{0, 6, 0, 1, 1, 2, 0, 1})
		f.Add(byte(i), []byte{2, 5, 100, 60, 3, 2, 200, 200})
		f.Add(byte(i), []byte{4, 6, 0, 60, 5, 3, 0, 9})
		f.Add(byte(i), []byte{6, 6, 0, 0, 3, 2, 200, 200})
		f.Add(byte(i), []byte{6, 255, 0, 0})
	}
	f.Fuzz(func(t *testing.T, which byte, input []byte) {
		i := int(which) % len(whole)
		limit := 0
		if which >= 128 {
			limit = 3000
		}
		muts := mutations(input)
		l := mutated(t, texts[i], all[i], muts, 1<<20, limit)
		l.isPart(whole[i].plains)
		cut := mutated(t, texts[i], all[i], muts, 1+len(input)%5, limit)
		if len(cut.plains) != len(l.plains) {
			t.Fatalf("%d texts in cuts, %d whole", len(cut.plains), len(l.plains))
		}
		for i, p := range l.plains {
			if q := cut.plains[i]; q.Lost != p.Lost || q.End != p.End || q.FromClient != p.FromClient || !bytes.Equal(q.Data, p.Data) {
				t.Fatalf("text %d ends at %d with %d lost, in cuts %d with %d", i, p.End, p.Lost, q.End, q.Lost)
			}
		}
		if f, g := l.w.Facts(), cut.w.Facts(); f.Decrypted != (len(l.plains) > 0) && !f.Decrypted || f.Established != g.Established || f.Failed != g.Failed || f.AlertName != g.AlertName ||
			f.Established && f.Failed || f.Failed != (f.AlertFrom != "") || f.ALPN != g.ALPN {
			t.Errorf("facts\n%+v, in cuts\n%+v", f, g)
		}
		for _, l := range []*listener{l, cut} {
			if o := l.w.opening; o != nil && (o.octets > l.w.Options.maxWaiting() || cap(o.out.buf) > 1<<20 || cap(o.sides[keys.Client].part) > maxRecord) {
				t.Error("too much is held")
			}
		}
	})
}
