package page

import (
	"slices"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// rates counts what the plots show, in buckets of packet time.
type rates struct {
	roles   []string // the last is other
	buckets []bucket // a ring, by time
	head    int64    // number of the newest bucket; 0: none
}

// Shape of the plots: an hour.
const (
	bucketTime = 10 * time.Second
	numBuckets = 360
)

// What is counted.
const (
	cSessions = iota
	cAccepted
	cRejected
	cDeferred
	cOther // aborted, unknown
	cLogins
	cDenied
	numCounts
)

// countNames name them in JSON, in their order.
var countNames = [numCounts]string{"sessions", "accepted", "rejected", "deferred", "other", "logins", "logins_failed"}

// bucket is counts by role and kind.
type bucket [][numCounts]uint32

const otherRole = "other"

func newRates(roles []string) rates {
	r := rates{buckets: make([]bucket, numBuckets)}
	for _, role := range roles {
		if role != otherRole {
			r.roles = append(r.roles, role)
		}
	}
	r.roles = append(r.roles, otherRole)
	for i := range r.buckets {
		r.buckets[i] = make(bucket, len(r.roles))
	}
	return r
}

// counts says whether an event is one that is counted.
func (r *rates) counts(e sessions.Event) bool {
	switch e := e.(type) {
	case *sessions.Closed, *sessions.MailDone:
		return true
	case *sessions.Authenticated:
		return e.Auth.Denied || e.Auth.Result == sessions.AuthSuccess
	}
	return false
}

func (r *rates) count(e sessions.Event) {
	what := cSessions
	switch e := e.(type) {
	case *sessions.MailDone:
		what = cOther
		switch outcome(e.Mail) {
		case sessions.MailAccepted:
			what = cAccepted
		case sessions.MailRejected:
			what = cRejected
		case sessions.MailDeferred:
			what = cDeferred
		}
	case *sessions.Authenticated:
		what = cLogins
		if e.Auth.Denied {
			what = cDenied
		}
	}
	at := e.At().UnixNano() / int64(bucketTime)
	r.advanceTo(at)
	if at <= max(r.head-numBuckets, 0) {
		return // older than what is shown
	}
	r.buckets[at%numBuckets][r.role(e.Of().Role)][what]++
}

// outcome is the result of a mail as people ask for it: one that was given up
// because no recipient was taken was rejected, or deferred.
func outcome(m *sessions.Mail) string {
	if m.Result != sessions.MailAborted || len(m.To) > 0 || len(m.Rejected) == 0 {
		return m.Result
	}
	if m.Rejected[0].Code >= 500 {
		return sessions.MailRejected
	}
	return sessions.MailDeferred
}

func (r *rates) role(name string) int {
	if i := slices.Index(r.roles, name); i >= 0 {
		return i
	}
	return len(r.roles) - 1
}

func (r *rates) advance(now time.Time) { r.advanceTo(now.UnixNano() / int64(bucketTime)) }

// advanceTo empties the buckets that begin. Where time steps back by more than is
// shown, it is another story: all begins anew.
func (r *rates) advanceTo(at int64) {
	if at <= numBuckets {
		return // no packet is of 1970
	}
	if r.head == 0 || at < r.head-numBuckets || at > r.head+numBuckets {
		r.head = at - numBuckets
	}
	for r.head < at {
		r.head++
		clear(r.buckets[r.head%numBuckets])
	}
}

// series is what JSON says of the last buckets: for each role, each count, a value
// a bucket.
type series struct {
	Step  int                            `json:"step"`  // seconds
	First int64                          `json:"first"` // begin of the first bucket, Unix seconds
	Roles []string                       `json:"roles"`
	Rates map[string]map[string][]uint32 `json:"rates"` // role, count; roles of which nothing was seen are left out
}

// last gives the last n buckets.
func (r *rates) last(n int) series {
	step := int64(bucketTime / time.Second)
	first := r.head - int64(n) + 1
	s := series{Step: int(step), First: first * step, Roles: r.roles, Rates: make(map[string]map[string][]uint32)}
	if r.head == 0 {
		return s
	}
	for i, role := range r.roles {
		var sum uint32
		counts := make(map[string][]uint32, numCounts)
		for what, name := range countNames {
			values := make([]uint32, n)
			for k := range values {
				values[k] = r.buckets[(first+int64(k))%numBuckets][i][what]
				sum |= values[k]
			}
			counts[name] = values
		}
		if sum != 0 {
			s.Rates[role] = counts
		}
	}
	return s
}
