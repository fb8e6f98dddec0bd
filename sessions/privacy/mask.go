package privacy

import (
	"encoding/hex"
	"net/netip"

	"github.com/mailtap/mailtap/sessions"
)

// Mask shows events as an output may show them. It is used by one goroutine at a
// time. A nil Mask hides nothing.
type Mask struct {
	settings Settings
	signer   signer
	keyless  bool             // ids stay: what shows a capture to who has it
	known    map[value]string // pseudonyms made of late
	conns    [128]maskedConn

	said  map[*sessions.Conn]*quoted // what the replies to come may quote
	words *quoted                    // what the texts of the event at hand may quote
	ends  *quoted                    // addresses of its clients, as names of hosts write them
	keep  netip.Addr                 // the server's address: it stands in texts as it is
}

// value is one that has a pseudonym.
type value struct {
	kind kind
	text string
}

const (
	maxKnown = 8192 // pseudonyms in the cache
	maxSaid  = 512  // connections of which it is known what was said
	maxWords = 1024 // values of one of them
)

// maskedConn is a connection and how it is shown: its events come soon behind
// each other, and encoders know it by its address.
type maskedConn struct {
	conn, shown *sessions.Conn
	ends        *quoted
}

// New makes a Mask; nil where nothing is to be hidden. Where clients are hidden
// the key makes ids of sessions too, whatever the modes; without one they stay.
func New(s Settings, k Key) *Mask {
	if !s.Hides() {
		return nil
	}
	if s.PrefixV4 <= 0 {
		s.PrefixV4 = DefaultPrefixV4
	}
	if s.PrefixV6 <= 0 {
		s.PrefixV6 = DefaultPrefixV6
	}
	return &Mask{settings: s, signer: newSigner(k), keyless: len(k) == 0, known: make(map[value]string), said: make(map[*sessions.Conn]*quoted)}
}

// Name names what the mask hides, the same for the same settings; empty for nothing.
func (m *Mask) Name() string {
	if m == nil {
		return ""
	}
	return m.settings.Name()
}

// pseudonym is the word for a value.
func (m *Mask) pseudonym(k kind, text string) string {
	v := value{k, text}
	if w, ok := m.known[v]; ok {
		return w
	}
	if len(m.known) >= maxKnown {
		clear(m.known)
	}
	w := m.signer.word(k, text)
	m.known[v] = w
	return w
}

// Ids of sessions: hidden ones are longer, so that none is hidden twice.
const (
	idDigits       = 24
	hiddenIDDigits = 26
)

// Session is a session's id. The plain one is a hash of addresses and times: who
// tries all clients finds the one.
func (m *Mask) Session(id string) string {
	if m == nil || m.keyless || !m.settings.Clients.hides() || id == "" || len(id) == hiddenIDDigits {
		return id
	}
	sum := m.signer.sum(aSession, id)
	return hex.EncodeToString(sum[:hiddenIDDigits/2])
}

// Fingerprint is an alert's: the plain one is a hash of values that are hidden.
func (m *Mask) Fingerprint(print string) string {
	if m == nil {
		return print
	}
	sum := m.signer.sum(aPrint, print)
	return hex.EncodeToString(sum[:8])
}

func (m *Mask) conn(c *sessions.Conn) *sessions.Conn {
	if c == nil || !m.settings.Clients.hides() {
		return c
	}
	return m.masked(c).shown
}

// masked is how a connection is shown, made once for its events.
func (m *Mask) masked(c *sessions.Conn) *maskedConn {
	k := &m.conns[(uint(c.Client.Port())^uint(c.Start.Nanosecond())>>10)%uint(len(m.conns))]
	if k.conn != c {
		shown := *c
		shown.ID, shown.CommunityID, shown.Client = m.Session(c.ID), "", m.end(c.Client)
		*k = maskedConn{c, &shown, newQuoted()}
		m.quoteClient(k.ends, c.Client.Addr())
	}
	return k
}

func (m *Mask) origin(o *sessions.Origin) *sessions.Origin {
	if o == nil || !m.settings.Clients.hides() {
		return o
	}
	return &sessions.Origin{Client: m.end(o.Client), Via: o.Via}
}

func (m *Mask) in(i sessions.In) sessions.In {
	return sessions.In{Conn: m.conn(i.Conn), Time: i.Time, Origin: m.origin(i.Origin)}
}
