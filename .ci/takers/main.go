// Command takers is Loki, a webhook and an Alertmanager in one, for soak.sh: each
// can be away, and what they took can be asked for.
//
//	takers 127.0.0.1:3100
//
// POST /set?what=loki|webhook|alertmanager&away=1 has one go away: connections to
// it break without an answer, or every third time get 503.
// GET /counts tells what came. A line that came twice counts once: delivery is at least once.
package main

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/grafana/loki/pkg/push"
	"github.com/klauspost/compress/snappy"
)

// counts are sums of the records that are not of hostile addresses, as totals.py
// has them.
type counts struct {
	Lines, Twice, Sessions, Accepted, Rejected, Deferred, Recipients, Hostile int
	Alerts, Webhook, Alertmanager                                             int // different ones
	Missing                                                                   []string
}

type takers struct {
	mu      sync.Mutex
	away    map[string]bool
	turned  int // requests that one was away for
	seen    map[uint64]bool
	told    map[string]bool // alerts that records tell of
	webhook map[string]bool
	manager map[string]bool
	counts  counts
}

func main() {
	t := &takers{away: map[string]bool{}, seen: map[uint64]bool{}, told: map[string]bool{}, webhook: map[string]bool{}, manager: map[string]bool{}}
	http.HandleFunc("/set", t.set)
	http.HandleFunc("/counts", t.tell)
	http.HandleFunc("/loki/api/v1/push", t.as("loki", t.loki))
	http.HandleFunc("/api/v2/alerts", t.as("alertmanager", t.alertmanager))
	http.HandleFunc("/hook", t.as("webhook", t.hook))
	fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Args[1], nil))
	os.Exit(1)
}

func (t *takers) as(what string, take func([]byte) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		t.mu.Lock()
		defer t.mu.Unlock()
		if err != nil || t.away[what] {
			if t.turned++; t.turned%3 == 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			panic(http.ErrAbortHandler) // the connection breaks
		} else if err := take(body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}
}

func (t *takers) set(_ http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.away[r.FormValue("what")] = r.FormValue("away") == "1"
}

func (t *takers) tell(w http.ResponseWriter, _ *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	c.Alerts, c.Webhook, c.Alertmanager = len(t.told), len(t.webhook), len(t.manager)
	for key := range t.told {
		if !t.webhook[key] || !t.manager[key] {
			c.Missing = append(c.Missing, key)
		}
	}
	json.NewEncoder(w).Encode(c)
}

func (t *takers) loki(body []byte) error {
	plain, err := snappy.Decode(nil, body)
	var req push.PushRequest
	if err == nil {
		err = req.Unmarshal(plain)
	}
	if err != nil {
		return err
	}
	for _, stream := range req.Streams {
		for _, e := range stream.Entries {
			t.line(e.Line)
		}
	}
	return nil
}

// record is what is looked at of one.
type record struct {
	Event, Rule, Key, Status string
	InhibitedBy              string `json:"inhibited_by"`
	Client, Server           struct{ IP string }
	TLS                      struct{ Mode string }
	Bytes                    struct{ Client, Server int }
	Mails                    []struct {
		Result   string
		To       []string
		Rejected []struct{ Code int }
	}
}

// hostile addresses are those of soak.py.
func hostile(ip string) bool {
	return strings.HasPrefix(ip, "100.") || strings.HasPrefix(ip, "101.") || strings.HasPrefix(ip, "11.")
}

func (t *takers) line(text string) {
	h := fnv.New64a()
	h.Write([]byte(text))
	if t.seen[h.Sum64()] {
		t.counts.Twice++
		return
	}
	t.seen[h.Sum64()] = true
	t.counts.Lines++
	var r record
	if json.Unmarshal([]byte(text), &r) != nil {
		return
	}
	if r.Event == "alert" && r.Status == "firing" && r.InhibitedBy == "" {
		t.told[r.Rule+" "+r.Key] = true
	}
	if r.Event != "session" {
		return
	}
	if hostile(r.Client.IP) || hostile(r.Server.IP) {
		t.counts.Hostile++
		return
	}
	if r.TLS.Mode == "implicit" || r.Bytes.Client > 0 || r.Bytes.Server > 0 {
		t.counts.Sessions++
	}
	for _, m := range r.Mails {
		switch m.Result {
		case "accepted":
			t.counts.Accepted++
		case "rejected":
			t.counts.Rejected++
		case "deferred":
			t.counts.Deferred++
		}
		t.counts.Recipients += len(m.To)
	}
}

func (t *takers) hook(body []byte) error {
	var m struct {
		Alerts []struct{ Labels, Annotations map[string]string }
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	for _, a := range m.Alerts {
		t.webhook[a.Labels["alertname"]+" "+a.Annotations["key"]] = true
	}
	return nil
}

func (t *takers) alertmanager(body []byte) error {
	var list []struct{ Labels, Annotations map[string]string }
	if err := json.Unmarshal(body, &list); err != nil {
		return err
	}
	for _, a := range list {
		t.manager[a.Labels["alertname"]+" "+a.Annotations["key"]] = true
	}
	return nil
}
