package tls

import (
	"bytes"
	"testing"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// lossy feeds a conversation of which n octets from at on are lost in one
// direction.
func lossy(l *listener, chunks []chunk, client bool, at, n int) {
	place := 0
	for _, c := range chunks {
		if c.client != client {
			l.feed([]chunk{c})
			continue
		}
		from, to := clamp(at-place, len(c.b)), clamp(at+n-place, len(c.b))
		if from > 0 {
			l.feed([]chunk{{client, c.b[:from]}})
		}
		if from < to {
			l.gap(client, int64(to-from))
		}
		if to < len(c.b) {
			l.feed([]chunk{{client, c.b[to:]}})
		}
		place += len(c.b)
	}
}

// isPart demands texts of the whole conversation, in their order, and that
// those that are missing between them are told as lost. It returns how many
// are missing before the last one.
func (l *listener) isPart(whole []Plain) (missing int) {
	l.t.Helper()
	for _, client := range []bool{true, false} {
		rest := whole
		for _, p := range l.plains {
			if p.FromClient != client {
				continue
			}
			skipped, found := 0, false
			for len(rest) > 0 && !found {
				q := rest[0]
				rest = rest[1:]
				switch {
				case q.FromClient != client:
				case q.End == p.End:
					found = bytes.Equal(p.Data, q.Data)
				default:
					skipped++
				}
			}
			missing += skipped
			switch {
			case !found:
				l.t.Fatalf("client %v: %d octets that end at %d were not said", client, len(p.Data), p.End)
			case skipped > 0 && p.Lost < int64(skipped*l.least):
				l.t.Fatalf("client %v: %d texts are missing, %d octets told", client, skipped, p.Lost)
			}
		}
	}
	return missing
}

// TestEveryLoss loses each stretch: what is told then was said.
func TestEveryLoss(t *testing.T) {
	stride := 13
	if testing.Short() {
		stride = 71
	}
	for _, name := range withKeys[:6] {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log := logOf(t, keyLog(t, ofCapture(name)))
			chunks := conversation(t, name)
			whole := listen(t, log, chunks)
			facts := whole.w.Facts()
			for _, client := range []bool{true, false} {
				for _, n := range []int{1, 6, 40, 300, 1400} {
					for at := 0; at < total(chunks, client); at += stride {
						l := listen(t, log, nil)
						lossy(l, chunks, client, at, n)
						l.isPart(whole.plains)
						check(t, facts, l.w.Facts())
						if t.Failed() {
							t.Fatalf("client %v, %d octets lost at %d", client, n, at)
						}
					}
				}
			}
		})
	}
}

// spans of the records of one direction: where each begins and ends.
func spansOf(chunks []chunk, client bool) (spans [][2]int) {
	var all []byte
	for _, c := range chunks {
		if c.client == client {
			all = append(all, c.b...)
		}
	}
	for at := 0; at+recordHeader <= len(all); {
		end := at + recordHeader + bodyLength(all[at:])
		spans = append(spans, [2]int{at, end})
		at = end
	}
	return spans
}

// TestEveryRecordLost loses each record of a conversation, whole or in part:
// all other texts are told, and that one is lost. Of the handshake the hellos
// are needed.
func TestEveryRecordLost(t *testing.T) {
	for _, name := range withKeys[:6] {
		t.Run(name, func(t *testing.T) {
			text := keyLog(t, ofCapture(name))
			chunks := conversation(t, name)
			whole := listen(t, logOf(t, text), chunks)
			for _, client := range []bool{true, false} {
				for i, span := range spansOf(chunks, client) {
					if i == 0 {
						continue // the hello
					}
					for _, cut := range [][2]int{span, {span[0] + recordHeader, span[1]}, {span[1] - 1, span[1]}} {
						for _, late := range []bool{false, true} {
							log := new(keys.Log)
							if !late {
								log.Write([]byte(text))
							}
							l := listen(t, log, nil)
							lossy(l, chunks, client, cut[0], cut[1]-cut[0])
							log.Write([]byte(text))
							l.pull()
							missing := l.isPart(whole.plains)
							told := len(whole.plains)
							for _, p := range whole.plains {
								if p.FromClient == client && p.End == int64(span[1]) {
									told--
								}
							}
							if len(l.plains) != told || missing > 1 {
								t.Errorf("client %v, record %d of %d octets, late %v: %d texts, want %d of %d", client, i, span[1]-span[0], late, len(l.plains), told, len(whole.plains))
							}
						}
					}
				}
			}
		})
	}
}

// TestLossIsTold even where it stands before all text.
func TestLossIsTold(t *testing.T) {
	name := withKeys[2]
	chunks := conversation(t, name)
	log := logOf(t, keyLog(t, ofCapture(name)))
	whole := listen(t, log, chunks)
	first := whole.plains[0]
	for _, span := range spansOf(chunks, first.FromClient) {
		if int64(span[1]) != first.End {
			continue
		}
		l := listen(t, log, nil)
		lossy(l, chunks, first.FromClient, span[0]+9, 3)
		for _, p := range l.plains {
			if p.FromClient == first.FromClient {
				if p.Lost != int64(span[1]-span[0]) {
					t.Errorf("%d octets lost, want %d", p.Lost, span[1]-span[0])
				}
				return
			}
		}
	}
	t.Error("no text")
}

// TestForged: records that somebody else sent are lost, and nothing else.
func TestForged(t *testing.T) {
	for _, name := range withKeys[:6] {
		log := logOf(t, keyLog(t, ofCapture(name)))
		chunks := recut(conversation(t, name), 1<<14)
		whole := listen(t, log, chunks)
		client, server := whole.said(true), whole.said(false)
		for i := range chunks {
			for _, forged := range [][]byte{record(typeApplicationData, make([]byte, 40)), record(typeApplicationData, nil), record(typeApplicationData, bytes.Repeat([]byte("ab"), 8000))} {
				if i <= 4 {
					continue // before the handshake is over it may end it
				}
				l := listen(t, log, chunks[:i])
				l.feed([]chunk{{true, forged}, {false, forged}, {true, forged}})
				l.feed(chunks[i:])
				if got := l.said(true); got != client {
					t.Errorf("%s, before %d: %d octets of the client, want %d", name, i, len(got), len(client))
				}
				if got := l.said(false); got != server {
					t.Errorf("%s, before %d: %d octets of the server, want %d", name, i, len(got), len(server))
				}
			}
		}
	}
}

// TestFullWait: what goes beyond the limit is lost, the begin is not.
func TestFullWait(t *testing.T) {
	for _, name := range withKeys[:6] {
		text := keyLog(t, ofCapture(name))
		chunks := conversation(t, name)
		whole := listen(t, logOf(t, text), chunks)
		wentOn := false
		for limit := 1; limit < 12000; limit += 97 {
			for at := 5; at <= len(chunks); at++ {
				log := new(keys.Log)
				l := &listener{t: t, w: &Watch{Options: &Options{Keys: log, MaxWaiting: limit}}}
				l.feed(chunks[:at])
				if o := l.w.opening; o != nil {
					held := 0
					for _, e := range o.held {
						held += len(e.record.Body) + heldOverhead
					}
					if held > limit || held != o.octets {
						t.Fatalf("%d octets are held of %d, %d counted", held, limit, o.octets)
					}
				}
				log.Write([]byte(text))
				l.feed(chunks[at:])
				l.pull()
				missing := l.isPart(whole.plains)
				f := l.w.Facts()
				if !f.WaitingLimit && len(l.plains) != len(whole.plains) || f.WaitingLimit && missing > 0 && l.lost() == 0 {
					t.Fatalf("%s: limit %d, keys after %d chunks: %d texts of %d, %d missing, facts %+v", name, limit, at, len(l.plains), len(whole.plains), missing, f)
				}
				wentOn = wentOn || missing > 0
			}
		}
		if !wentOn {
			t.Errorf("%s: nothing was opened behind the limit", name)
		}
	}
}

// TestLossBeforeAnswer: that a command was lost is told before its reply.
func TestLossBeforeAnswer(t *testing.T) {
	for _, name := range withKeys[:6] {
		chunks := conversation(t, name)
		log := logOf(t, keyLog(t, ofCapture(name)))
		whole := listen(t, log, chunks)
		for i, p := range whole.plains[:len(whole.plains)-1] {
			if !p.FromClient || i == 0 || whole.plains[i+1].FromClient {
				continue
			}
			w := &listener{t: t, w: &Watch{Options: &Options{Keys: log}}}
			for _, c := range chunks {
				if c.client && w.fed[1] < p.End && w.fed[1]+int64(len(c.b)) >= p.End {
					w.gap(true, int64(len(c.b)))
					break
				}
				w.feed([]chunk{c})
			}
			if w.alone[1] == 0 {
				t.Errorf("%s: the loss of text %d is not told", name, i)
			}
		}
	}
}
