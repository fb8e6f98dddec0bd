package page

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Routes adds the page and what it asks for to a mux.
func (p *Page) Routes(mux *http.ServeMux) {
	add := func(pattern string, h http.HandlerFunc) { mux.Handle("GET "+pattern, guarded(h)) }
	add("/{$}", p.answerAsset("index.html"))
	for name := range p.assets {
		add("/page/"+name, p.answerAsset(name))
	}
	add("/api/v1/status", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.status()) })
	add("/api/v1/rates", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.lastRates(numBuckets)) })
	add("/api/v1/talkers", func(w http.ResponseWriter, _ *http.Request) { answer(w, p.top(maxTop)) })
	add("/api/v1/sessions", p.answerSessions)
	add("/api/v1/sessions/{id}", p.answerSession)
	add("/api/v1/events", p.answerEvents)
}

// policy lets the page load what is embedded and nothing else: no script or style
// in the markup, no other host, no frame around it, and no text that becomes
// markup by a script (Trusted Types).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guarded sets what keeps hostile text, and pages of others, away from the page.
func guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		h.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // whoever asked may have gone
}

// Bounds of answers.
const (
	maxTop    = 50 // names in a table of talkers
	maxShown  = 10 // the same, in an update
	maxAlerts = 50
	maxNew    = 100 // sessions in one update
	maxQuery  = 200 // octets
)

// status is what the page's head shows.
type status struct {
	Sensor  string     `json:"sensor"`
	Version string     `json:"version"`
	Now     *time.Time `json:"now"`   // packet time; null before the first packet
	Every   int        `json:"every"` // one of so many connections is followed
	Open    int        `json:"open"`  // connections that are followed now
	Alerts  alertList  `json:"alerts"`
	Streams int        `json:"streams"`         // pages that get updates
	Dropped uint64     `json:"streams_dropped"` // that read too slowly
}

type alertList struct {
	Firing int     `json:"firing"`
	List   []Alert `json:"list"`
}

func (p *Page) status() status {
	s := status{Sensor: p.options.Sensor, Version: p.options.Version, Every: int(p.mask.Load()) + 1, Alerts: p.alerts()}
	s.Streams, s.Dropped = p.streams.number()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.now.IsZero() {
		now := p.now
		s.Now = &now
	}
	s.Open = len(p.follower.open)
	return s
}

func (p *Page) alerts() alertList {
	all := p.options.Firing()
	list := make([]Alert, 0, min(len(all), maxAlerts))
	return alertList{Firing: len(all), List: append(list, all[:min(len(all), maxAlerts)]...)}
}

func (p *Page) lastRates(n int) series {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rates.last(n)
}

func (p *Page) top(n int) map[string][]talker {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.talkers.top(n)
}

// last gives the sessions that ended, oldest first.
func (p *Page) last() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.follower.last)
}

// update is one message of the stream.
type update struct {
	Status   status              `json:"status"`
	Rates    series              `json:"rates"` // the last buckets: they may have changed
	Talkers  map[string][]talker `json:"talkers"`
	Sessions []json.RawMessage   `json:"sessions"` // the newest first
}

// update tells what came since the session of a number ended.
func (p *Page) update(after uint64) (u update, newestOne uint64) {
	list := p.last()
	first := len(list)
	for first > 0 && list[first-1].number > after {
		first--
	}
	if len(list) > 0 {
		newestOne = list[len(list)-1].number
	}
	return update{p.status(), p.lastRates(3), p.top(maxShown), newest(list[first:], maxNew)}, newestOne
}

func newest(list []*session, n int) []json.RawMessage {
	rows := make([]json.RawMessage, 0, min(len(list), n))
	for i := len(list) - 1; i >= 0 && len(rows) < n; i-- {
		list[i].make()
		rows = append(rows, list[i].row)
	}
	return rows
}

// answerSessions is GET /api/v1/sessions?q=WORDS&limit=N: the newest first.
func (p *Page) answerSessions(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit := p.options.Sessions
	if text := q.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			http.Error(w, "limit: a number above 0 is allowed", http.StatusBadRequest)
			return
		}
		limit = min(n, limit)
	}
	query := q.Get("q")
	if len(query) > maxQuery {
		http.Error(w, "q: at most "+strconv.Itoa(maxQuery)+" octets are allowed", http.StatusBadRequest)
		return
	}
	words := strings.Fields(strings.ToLower(query))
	list := p.last()
	found := slices.DeleteFunc(slices.Clone(list), func(s *session) bool { s.make(); return !matches(s.text, words) })
	answer(w, struct {
		Kept     int               `json:"kept"`
		Found    int               `json:"found"`
		Sessions []json.RawMessage `json:"sessions"`
	}{len(list), len(found), newest(found, limit)})
}

// answerSession is GET /api/v1/sessions/ID: the ladder.
func (p *Page) answerSession(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	for _, s := range p.last() {
		if s.conn.ID == id {
			answer(w, s.ladder.View())
			return
		}
	}
	http.Error(w, "this session is not among the last ones that are kept", http.StatusNotFound)
}
