package deferrals

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// site is a Queue with what it told.
type site struct {
	*Queue
	now  time.Time
	told []string
}

func newSite(o Options) *site {
	s := &site{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	o.Servers = []string{"mx1", "mx2"}
	o.Observer = s
	s.Queue = New(o)
	return s
}

func (s *site) Retried(c *sessions.Conn, outcome string) {
	s.told = append(s.told, c.ServerName+" "+outcome)
}

func (s *site) Delivered(c *sessions.Conn, after time.Duration) {
	s.told = append(s.told, c.Direction+" after "+after.String())
}

// send has a mail end at a server.
func (s *site) send(server string, m sessions.Mail) {
	m.FromKnown = true
	s.Handle(&sessions.MailDone{In: sessions.In{Conn: &sessions.Conn{ServerName: server, Role: "relay", Direction: "inbound"}, Time: s.now}, Mail: &m})
}

// greylisted is a mail whose recipients were told to come again: the client gives up.
func greylisted(to ...string) sessions.Mail {
	m := sessions.Mail{From: "a@client.test", Result: sessions.MailAborted}
	for _, r := range to {
		m.Rejected = append(m.Rejected, sessions.Rejection{To: r, Code: 450})
	}
	return m
}

func ended(result string, code int, to ...string) sessions.Mail {
	return sessions.Mail{From: "a@client.test", To: to, Result: result, Code: code}
}

func (s *site) wait(d time.Duration) {
	s.now = s.now.Add(d)
	s.Advance(s.now)
}

// waiting says who waits where, by age, as in "mx1: 1×5m".
func (s *site) waiting() string {
	var out []string
	for _, w := range s.Status().Waiting {
		for class, n := range w.Ages {
			if n > 0 {
				out = append(out, fmt.Sprintf("%s: %d×%s", w.Server, n, AgeNames[class]))
			}
		}
	}
	return strings.Join(out, ", ")
}

func (s *site) expect(t *testing.T, waiting string, told ...string) {
	t.Helper()
	if got := s.waiting(); got != waiting {
		t.Errorf("waiting %q, want %q", got, waiting)
	}
	if fmt.Sprint(s.told) != fmt.Sprint(told) {
		t.Errorf("told %q, want %q", s.told, told)
	}
	s.told = nil
}

func TestGreylistedMailLeavesWithItsRetry(t *testing.T) {
	s := newSite(Options{})
	s.send("mx1", greylisted("u@home.test"))
	s.expect(t, "mx1: 1×5m")
	s.wait(4 * time.Minute)
	s.send("mx1", greylisted("u@home.test")) // too early
	s.expect(t, "mx1: 1×5m", "mx1 deferred")
	s.wait(2 * time.Minute)
	s.send("mx2", greylisted("u@home.test")) // another server, which has not seen it
	s.expect(t, "mx2: 1×30m", "mx2 deferred")
	s.wait(10 * time.Minute)
	s.send("mx2", ended(sessions.MailAccepted, 250, "U@Home.test")) // case is nobody's
	s.expect(t, "", "mx2 accepted", "inbound after 16m0s")
	s.send("mx2", ended(sessions.MailAccepted, 250, "u@home.test")) // a new mail
	s.expect(t, "")
}

func TestWhatLeavesAPairOutstanding(t *testing.T) {
	for name, c := range map[string]struct {
		mail    sessions.Mail
		waiting string
	}{
		"refused for good at RCPT":    {sessions.Mail{Result: sessions.MailAborted, Rejected: []sessions.Rejection{{To: "u@home.test", Code: 550}}}, ""},
		"refused for good at the end": {ended(sessions.MailRejected, 554, "u@home.test"), ""},
		"deferred at the end":         {ended(sessions.MailDeferred, 451, "u@home.test"), "mx1: 1×5m"},
		"RSET before DATA":            {ended(sessions.MailAborted, 0, "u@home.test"), "mx1: 1×5m"},
		"the reply was lost":          {ended(sessions.MailUnknown, 0, "u@home.test"), "mx1: 1×5m"},
		"out of order":                {sessions.Mail{Rejected: []sessions.Rejection{{To: "u@home.test", Code: 503}}}, "mx1: 1×5m"},
		"another recipient accepted":  {ended(sessions.MailAccepted, 250, "v@home.test"), "mx1: 1×5m"},
		"two more, one for good":      {sessions.Mail{To: []string{"v@home.test", "u@home.test"}, RecipientCodes: []int{450, 250}, Result: sessions.MailAccepted, Code: 250}, "mx1: 1×5m"},
		"LMTP: each has its own":      {sessions.Mail{To: []string{"v@home.test", "u@home.test"}, RecipientCodes: []int{550, 450}, Result: sessions.MailRejected, Code: 550}, "mx1: 1×5m"},
		"PRDR: refused as a whole":    {sessions.Mail{To: []string{"u@home.test"}, RecipientCodes: []int{250}, Result: sessions.MailRejected, Code: 554}, ""},
	} {
		s := newSite(Options{})
		s.send("mx1", greylisted("u@home.test"))
		c.mail.From = "a@client.test"
		s.send("mx1", c.mail)
		if got := s.waiting(); got != c.waiting {
			t.Errorf("%s: waiting %q, want %q", name, got, c.waiting)
		}
	}
}

// Where the sender is not known, nothing is: another mail to the same recipient is no
// retry.
func TestAnUnknownSenderIsNoPair(t *testing.T) {
	s := newSite(Options{})
	s.Handle(&sessions.MailDone{In: sessions.In{Conn: &sessions.Conn{}, Time: s.now}, Mail: &sessions.Mail{Result: sessions.MailDeferred, To: []string{"u@home.test"}}})
	s.expect(t, "")
}

// The same mail waits at the gateway's door and, taken there, behind it.
func TestHopsAreApart(t *testing.T) {
	s := newSite(Options{})
	s.send("mx1", greylisted("u@home.test"))
	inner := &sessions.Conn{ServerName: "mx2", Role: "lmtp", Direction: "internal"}
	m := ended(sessions.MailDeferred, 452, "u@home.test")
	m.FromKnown = true
	s.Handle(&sessions.MailDone{In: sessions.In{Conn: inner, Time: s.now}, Mail: &m})
	s.send("mx1", ended(sessions.MailAccepted, 250, "u@home.test"))
	s.expect(t, "mx2: 1×5m", "mx1 accepted", "inbound after 0s")
}

func TestAges(t *testing.T) {
	s := newSite(Options{Expire: 100 * time.Hour})
	for i, wait := range []time.Duration{26 * time.Hour, 10 * time.Hour, 4 * time.Hour, time.Hour, 15 * time.Minute, 0} {
		s.send("mx1", greylisted(fmt.Sprintf("u%d@home.test", i)))
		s.wait(wait)
	}
	s.expect(t, "mx1: 1×5m, mx1: 1×30m, mx1: 1×2h, mx1: 1×8h, mx1: 1×1d, mx1: 1×more")
	if got := s.Status().Oldest; got != 41*time.Hour+15*time.Minute {
		t.Errorf("the oldest has waited %v", got)
	}
	s.send("mx2", ended(sessions.MailAccepted, 250, "u0@home.test", "u4@home.test"))
	s.told = nil
	s.expect(t, "mx1: 1×5m, mx1: 1×2h, mx1: 1×8h, mx1: 1×1d")
	s.wait(20 * time.Hour)
	s.expect(t, "mx1: 2×1d, mx1: 2×more")
}

func TestWhatNobodyTriesIsForgotten(t *testing.T) {
	s := newSite(Options{Expire: 24 * time.Hour})
	s.send("", greylisted("gone@home.test", "kept@home.test"))
	s.wait(20 * time.Hour)
	s.send("", greylisted("kept@home.test"))
	s.wait(5 * time.Hour)
	s.expect(t, ": 1×more", " deferred")
	s.wait(20 * time.Hour)
	s.expect(t, "")
	if st := s.Status(); st.Expired != 2 || st.Dropped != 0 || st.Oldest != 0 {
		t.Errorf("%+v", st)
	}
}

func TestTheBoundDropsWhatWasTriedLongestAgo(t *testing.T) {
	s := newSite(Options{Pairs: 3})
	s.send("mx1", greylisted("1@home.test", "2@home.test", "3@home.test"))
	s.send("mx1", greylisted("1@home.test"))
	s.send("mx1", greylisted("4@home.test", "5@home.test"))
	s.expect(t, "mx1: 3×5m", "mx1 deferred")
	if st := s.Status(); st.Dropped != 2 {
		t.Errorf("%+v", st)
	}
	s.send("mx1", ended(sessions.MailAccepted, 250, "1@home.test", "2@home.test", "3@home.test", "4@home.test"))
	s.expect(t, "mx1: 1×5m", "mx1 accepted", "inbound after 0s", "mx1 accepted", "inbound after 0s")
}

// A capture's clock may be set back: ages go on.
func TestTheClockIsSetBack(t *testing.T) {
	s := newSite(Options{})
	s.send("mx1", greylisted("u@home.test"))
	s.wait(time.Hour)
	s.wait(-100 * time.Hour)
	s.wait(2 * time.Hour)
	s.expect(t, "mx1: 1×8h")
	s.send("mx1", ended(sessions.MailAccepted, 250, "u@home.test"))
	s.expect(t, "", "mx1 accepted", "inbound after 3h0m0s")
}

func restored(t *testing.T, s *site, o Options) *site {
	t.Helper()
	var b bytes.Buffer
	if err := s.Save(&b); err != nil {
		t.Fatal(err)
	}
	next := newSite(o)
	if err := next.Restore(&b); err != nil {
		t.Fatal(err)
	}
	next.now = s.now
	return next
}

func TestARestartForgetsNothing(t *testing.T) {
	s := newSite(Options{})
	s.send("mx1", greylisted("1@home.test"))
	s.wait(time.Hour)
	s.wait(-100 * time.Hour) // also then
	s.send("mx2", greylisted("2@home.test"))
	s.wait(time.Hour)
	s.send("mx1", greylisted("1@home.test"))
	s.told = nil
	s = restored(t, s, Options{})
	s.expect(t, "mx1: 1×2h, mx2: 1×2h")
	s.wait(time.Hour)
	s.send("mx1", ended(sessions.MailAccepted, 250, "1@home.test"))
	s.expect(t, "mx2: 1×2h", "mx1 accepted", "inbound after 3h0m0s")
	s = restored(t, s, Options{})
	s.wait(23 * time.Hour)
	s.expect(t, "")
	small := newSite(Options{})
	small.send("mx1", greylisted("1@home.test", "2@home.test", "3@home.test"))
	small.wait(time.Second)
	small.send("mx1", greylisted("1@home.test"))
	if small = restored(t, small, Options{Pairs: 2}); small.Status().Dropped != 1 {
		t.Errorf("%+v", small.Status())
	}
	small.send("mx1", ended(sessions.MailAccepted, 250, "2@home.test"))
	small.expect(t, "mx1: 2×5m")
}

// A server that is no longer named is one of the others.
func TestServersChange(t *testing.T) {
	s := newSite(Options{})
	s.send("mx2", greylisted("1@home.test"))
	var b bytes.Buffer
	s.Save(&b)
	q := New(Options{Servers: []string{"mx3"}})
	if err := q.Restore(&b); err != nil || q.Status().Waiting[0].Ages[0] != 1 {
		t.Errorf("%v, %+v", err, q.Status())
	}
}

func TestDamagedStates(t *testing.T) {
	s := newSite(Options{})
	s.send("mx1", greylisted("1@home.test", "2@home.test"))
	var b bytes.Buffer
	s.Save(&b)
	good := b.Bytes()
	check := func(what string, data []byte) {
		t.Helper()
		n := newSite(Options{})
		seed := n.seed
		if err := n.Restore(bytes.NewReader(data)); err == nil || n.waiting() != "" || n.seed != seed {
			t.Errorf("%s: %v, waiting %q", what, err, n.waiting())
		}
	}
	for n := range good {
		check("cut", good[:n])
		flipped := bytes.Clone(good)
		flipped[n] ^= 4
		check("flipped", flipped)
	}
	// A checksum that fits what cannot be.
	forge := func(what string, change func(body []byte) []byte) {
		t.Helper()
		body := change(bytes.Clone(good[len(stateMagic)+8 : len(good)-4]))
		out := binary.LittleEndian.AppendUint64([]byte(stateMagic), uint64(len(body)))
		out = append(out, body...)
		check(what, binary.LittleEndian.AppendUint32(out, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))))
	}
	forge("more behind it", func(b []byte) []byte { return append(b, 0) })
	forge("a pair is missing", func(b []byte) []byte { return b[:len(b)-pairSize] })
	forge("the same pair twice", func(b []byte) []byte { copy(b[len(b)-pairSize:], b[len(b)-2*pairSize:]); return b })
	forge("a server that is not there", func(b []byte) []byte { b[len(b)-1] = 1; return b })
	forge("tried before it was deferred", func(b []byte) []byte { b[len(b)-4] = 0; return b })
	forge("tried tomorrow", func(b []byte) []byte { b[len(b)-4]++; return b })
}

func FuzzRestore(f *testing.F) {
	s := newSite(Options{})
	s.send("mx1", greylisted("1@home.test", "2@home.test"))
	var b bytes.Buffer
	s.Save(&b)
	f.Add(b.Bytes()[len(stateMagic)+8 : b.Len()-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		data := binary.LittleEndian.AppendUint64([]byte(stateMagic), uint64(len(body)))
		data = append(data, body...)
		n := newSite(Options{})
		if n.Restore(bytes.NewReader(binary.LittleEndian.AppendUint32(data, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))))) == nil {
			n.wait(time.Hour)
			n.Status()
		}
	})
}

// filled has as many pairs as there may be.
func filled(pairs int) *Queue {
	q := New(Options{Pairs: pairs, Servers: []string{"mx1"}})
	c := &sessions.Conn{ServerName: "mx1", Role: "relay", Direction: "inbound"}
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for i := range pairs {
		m := greylisted(fmt.Sprintf("user%d@home.test", i))
		m.FromKnown = true
		q.Handle(&sessions.MailDone{In: sessions.In{Conn: c, Time: at}, Mail: &m})
	}
	return q
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// At its bound, wherever that is, a queue holds what PairBytes says.
func TestMemoryAtTheBound(t *testing.T) {
	for _, pairs := range []int{120_000, 160_000, DefaultPairs, 240_000} {
		before := heap()
		q := filled(pairs)
		octets := int64(heap()) - int64(before)
		t.Logf("%d pairs hold %d octets", pairs, octets)
		if n := len(q.table.index); n != pairs || octets > int64(n*PairBytes) {
			t.Errorf("%d pairs hold %d octets", n, octets)
		}
	}
}

func BenchmarkMail(b *testing.B) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := &sessions.Conn{ServerName: "mx1", Role: "relay", Direction: "inbound"}
	event := func(m sessions.Mail) *sessions.MailDone {
		m.FromKnown = true
		return &sessions.MailDone{In: sessions.In{Conn: c, Time: at}, Mail: &m}
	}
	b.Run("accepted, none waits", func(b *testing.B) {
		q, e := New(Options{}), event(ended(sessions.MailAccepted, 250, "x@home.test"))
		b.ReportAllocs()
		for b.Loop() {
			q.Handle(e)
		}
	})
	full := filled(DefaultPairs)
	b.Run("accepted, all places taken", func(b *testing.B) {
		e := event(ended(sessions.MailAccepted, 250, "x@home.test"))
		b.ReportAllocs()
		for b.Loop() {
			full.Handle(e)
		}
	})
	b.Run("deferred, all places taken", func(b *testing.B) {
		events := make([]*sessions.MailDone, 1<<14)
		for i := range events {
			events[i] = event(greylisted(fmt.Sprintf("new%d@home.test", i)))
		}
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			full.Handle(events[i%len(events)])
		}
	})
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			full.Save(new(bytes.Buffer))
		}
	})
}
