package metrics

import "github.com/mailtap/mailtap/sessions"

// Shard counts the events of one goroutine in memory that no other touches:
// plain additions, no lock, no allocation. A scrape shows what was published.
type Shard struct {
	m      *Metrics
	places [places]place

	attempts, sessions, commands, replies, anomalies tally
	auths, exposed, messages, recipients             tally
	attachments, reports, refusals                   tally
	tlsSessions, tlsHandshakes                       tally
	tallies                                          []*tally

	sessionDuration, bannerDelay, replyDelay      observations
	messageBytes, messageRecipients, tlsHandshake observations
	hopDelay                                      observations
	observations                                  []*observations

	judge  judge
	open   []openings      // by role
	expiry map[int]float64 // newest, by server
}

// openings are the open sessions of a role. They fill a cache line, so that
// shards do not take it from each other.
type openings struct {
	now, told int64
	_         [48]byte
}

// Shard makes a Shard for one goroutine. Its events are counted in m with each
// Publish.
func (m *Metrics) Shard() *Shard {
	s := &Shard{m: m, open: make([]openings, len(m.role.names)), expiry: map[int]float64{}, judge: judge{reasons: m.reasons}}
	s.tallies = []*tally{
		s.attempts.of(m.attempts), s.sessions.of(m.sessions), s.commands.of(m.commands), s.replies.of(m.replies), s.anomalies.of(m.anomalies),
		s.auths.of(m.auths), s.exposed.of(m.exposed), s.messages.of(m.messages), s.recipients.of(m.recipients),
		s.attachments.of(m.attachments), s.reports.of(m.reports), s.refusals.of(m.refusals),
		s.tlsSessions.of(m.tlsSessions), s.tlsHandshakes.of(m.tlsHandshakes),
	}
	allot(s.tallies)
	s.observations = []*observations{
		s.sessionDuration.of(m.sessionDuration), s.bannerDelay.of(m.bannerDelay), s.replyDelay.of(m.replyDelay),
		s.messageBytes.of(m.messageBytes), s.messageRecipients.of(m.messageRecipients), s.tlsHandshake.of(m.tlsHandshake),
		s.hopDelay.of(m.hopDelay),
	}
	return s
}

// Publish adds what was counted since the last call to what a scrape shows. The
// shard's goroutine calls it, about once a second and at its end.
func (s *Shard) Publish() {
	for _, t := range s.tallies {
		t.publish()
	}
	for _, o := range s.observations {
		o.publish()
	}
	for role := range s.open {
		o := &s.open[role]
		if o.now != o.told {
			s.m.opened[role].Add(o.now - o.told)
			o.told = o.now
		}
	}
	for server, at := range s.expiry {
		s.m.tlsExpiry.at(server).Set(at)
	}
	clear(s.expiry)
}

// place is what the labels of a connection's events say.
type place struct {
	conn                    *sessions.Conn
	role, server, direction int
}

// places is how many connections a shard remembers the place of; a power of two.
const places = 256

// at finds the place of a connection. The one remembered is held, so that its
// address cannot become another's.
func (s *Shard) at(c *sessions.Conn) *place {
	p := &s.places[(uint(c.Client.Port())^uint(c.Start.Nanosecond())>>10)%places]
	if p.conn != c {
		*p = place{conn: c, role: s.m.role.of(c.Role), server: s.m.server.of(c.ServerName), direction: s.m.direction.of(c.Direction)}
	}
	return p
}
