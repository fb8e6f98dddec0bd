package sessions_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
)

// truth is what the two ends of a captured connection know of it.
type truth struct {
	Client string
	Auth   []struct{ Username, Result string }
	Mails  []truthMail
}

type truthMail struct {
	From     string
	To       []string
	Rejected []string `json:"rejected_to"`
	Accepted bool
	Subject  *string
	InTLS    bool `json:"in_tls"`
}

func truths(t *testing.T, dir string) map[string][]truth {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Sessions []truth }
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatal(err)
	}
	all := map[string][]truth{}
	for _, s := range file.Sessions {
		all[s.Client] = append(all[s.Client], s)
		ip := s.Client[:strings.LastIndexByte(s.Client, ':')]
		all[ip] = append(all[ip], s)
	}
	return all
}

// told is what a session record claims.
type told struct {
	Event string
	Auth  []struct{ Username, Result string }
	Mails []struct {
		From, Subject *string
		To            []string
		Rejected      []struct{ To string }
		Result        string
	}
}

// lies lists what a record claims and the truth does not know: a sender, a
// recipient, a delivery, a login, or two mails made one.
func (r *told) lies(known []truth) (lies []string) {
	deliveries := 0
	for _, a := range r.Auth {
		if known[0].Auth == nil {
			break // not known for certain
		}
		if a.Username != "" && !slices.ContainsFunc(known, func(k truth) bool {
			return slices.ContainsFunc(k.Auth, func(w struct{ Username, Result string }) bool {
				return (w.Username == a.Username || w.Username == "") && (a.Result != "success" || w.Result == "success")
			})
		}) {
			lies = append(lies, "login of "+a.Username+" "+a.Result)
		}
	}
	for _, m := range r.Mails {
		if m.From == nil || known[0].Mails == nil || m.Result == "unknown" && len(m.To) == 0 {
			continue // a MAIL command whose reply was lost
		}
		if !slices.ContainsFunc(known, func(k truth) bool {
			return slices.ContainsFunc(k.Mails, func(w truthMail) bool {
				for _, to := range m.To {
					if !slices.Contains(w.To, to) && !slices.Contains(w.Rejected, to) {
						return false
					}
				}
				return w.From == *m.From && (m.Result != "accepted" || w.Accepted) && (m.Subject == nil || w.Subject == nil || *w.Subject == *m.Subject)
			})
		}) {
			b, _ := json.Marshal(m)
			lies = append(lies, "mail "+string(b))
		}
		if m.Result == "accepted" {
			deliveries++
		}
	}
	if len(known) == 1 && known[0].Mails != nil && deliveries > known[0].accepted() {
		lies = append(lies, fmt.Sprintf("%d deliveries of %d", deliveries, known[0].accepted()))
	}
	return lies
}

func (k *truth) accepted() (n int) {
	for _, m := range k.Mails {
		if m.Accepted {
			n++
		}
	}
	return n
}

// TestCorpusLoss drops packets of each connection of the real captures: each
// one in turn, each two that follow each other, and some at random. What is
// told then is a part of what its two ends know.
func TestCorpusLoss(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	ways := map[string]func(i, n int) []int{
		"one":  func(i, n int) []int { return []int{i} },
		"two":  func(i, n int) []int { return []int{i, i + 1} },
		"some": func(i, n int) []int { return []int{i, rnd.IntN(n), rnd.IntN(n)} },
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			plays := 0
			for _, r := range connections(t) {
				if strings.HasPrefix(r.name, "38d") {
					continue // it has forged packets, one of which may be all that is left
				}
				plays += r.lose(t, way)
			}
			t.Logf("%d times packets were dropped", plays)
		})
	}
}

func without(all []packet.Segment, drop []int) []packet.Segment {
	left := make([]packet.Segment, 0, len(all))
	for i := range all {
		if !slices.Contains(drop, i) {
			left = append(left, all[i])
		}
	}
	return left
}

// lose plays a connection for each of its packets, without those that way
// names.
func (r *recorded) lose(t *testing.T, way func(i, n int) []int) (plays int) {
	known := truths(t, r.dir)
	of := known[r.client.String()]
	if of == nil {
		of = known[r.client.Addr().String()]
	}
	o := r.options(t)
	step := 1
	if !everything() {
		step += len(r.segments) / 15
	}
	for i := 0; i < len(r.segments); i += step {
		drop := way(i, len(r.segments))
		records := playWith(t, o, without(r.segments, drop))
		plays++
		for line := range strings.Lines(records) {
			var s told
			if !strings.HasPrefix(line, `{"event":"session"`) {
				continue
			}
			if err := json.Unmarshal([]byte(line), &s); err != nil {
				t.Fatal(err)
			}
			for _, lie := range s.lies(of) {
				t.Errorf("%s, %v, without packets %d: %s", r.name, r.client, drop, lie)
			}
		}
	}
	return plays
}
