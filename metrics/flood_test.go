package metrics

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/metrics/deferrals"
	"github.com/mailtap/mailtap/sessions"
	written "github.com/mailtap/mailtap/sessions/dialog"
)

// stranger is the conversation of somebody whose every name was never seen before:
// client and server, EHLO name, user, sender, recipient, domains, verb, mechanism,
// reply codes and texts.
func stranger(n int, random *rand.Rand) (string, written.Options) {
	word := func() string {
		return fmt.Sprintf("%c%x", 'a'+rune(n%26), random.Uint64())
	}
	talk, say := strangeTalk+strangeEnd, "no"
	if n%talking == 0 {
		talk, say = strangeTalk+strangeMail+strangeEnd, "$text" // new texts are slow to judge
	}
	sender, recipient := word()+"@"+word()+".test", word()+"@"+word()+".test"
	text := strings.NewReplacer(
		"$ehlo", word()+".test", "$user", word(), "$from", sender, "$to", recipient, "$verb", strings.ToUpper(word()),
		"$mechanism", "X-"+strings.ToUpper(word()), "$text", word()+" "+word(), "$code", fmt.Sprint(400+random.IntN(200)),
		"$type", word()+"/"+word(), "$status", fmt.Sprintf("5.%d.%d", random.IntN(1000), random.IntN(1000)),
	).Replace(strings.ReplaceAll(talk, "$say", say))
	address := func() netip.Addr {
		return netip.AddrFrom4([4]byte{byte(n>>16) + 11, byte(n >> 8), byte(n), byte(random.Uint32())})
	}
	return text, written.Options{
		Client: netip.AddrPortFrom(address(), uint16(20000+n%40000)), Server: netip.AddrPortFrom(address(), 25),
		Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(n) * time.Millisecond),
	}
}

// talking is how many strangers there are to each that sends a mail.
const talking = 10

const strangeTalk = `S: 220 $ehlo $text
C: EHLO $ehlo
S: 250-$ehlo
S: 250 PIPELINING
C: $verb $text
C: AUTH $mechanism $user
C: MAIL FROM:<$from>
C: RCPT TO:<$to>
S: 502 $say
S: $code $say
S: 250 $say
S: $code <$to>: $say
`

const strangeMail = `C: RCPT TO:<x$to>
S: 250 $text
C: DATA
S: 354 $text
C: From: <$from>
C: Subject: $text
C: Date: Fri, 2 Jan 2026 03:00:00 +0000
C: MIME-Version: 1.0
C: Content-Type: multipart/report; report-type=delivery-status; boundary=b
C:
C: --b
C: Content-Type: $type
C: Content-Disposition: attachment; filename=$text
C:
C: $text
C: --b
C: Content-Type: message/delivery-status
C:
C: Reporting-MTA: dns; $ehlo
C:
C: Final-Recipient: rfc822; $to
C: Action: failed
C: Status: $status
C:
C: --b--
C: .
S: 250 $text
`

const strangeEnd = `C: QUIT
S: 221 $text
close S
close C
`

// TestAFloodOfNamesMakesNoSeries has a hundred thousand strangers talk: what can be
// counted at all was counted with the first few thousand.
func TestAFloodOfNamesMakesNoSeries(t *testing.T) {
	const firsts = strangers / 10
	m, reg := newTest()
	shard, deferred := m.Shard(), m.Deferred()
	queue := deferrals.New(deferrals.Options{Servers: []string{"mx1"}, Observer: deferred, Pairs: 1000})
	var now time.Time
	tracker := sessions.NewTracker(sessions.Options{Sensor: "test"}, sessions.HandlerFunc(func(e sessions.Event) {
		shard.Handle(e)
		queue.Handle(e)
		now = e.At()
	}))
	random := rand.New(rand.NewPCG(1, 2))
	before := 0
	for n := range strangers {
		text, options := stranger(n, random)
		list, err := written.Segments(text, options)
		if err != nil {
			t.Fatal(err)
		}
		tracker.Segments(list)
		switch n {
		case firsts, strangers - 1:
			tracker.Advance(now.UnixNano())
			queue.Advance(now)
			shard.Publish()
			deferred.Publish(queue.Status())
		}
		if n == firsts {
			before = seriesOf(t, reg)
		}
	}
	if after := seriesOf(t, reg); after != before {
		t.Errorf("%d series became %d", before, after)
	}
	page := scrape(t, reg)
	for _, want := range []string{
		fmt.Sprintf(`mailtap_messages_total{direction="external",result="accepted",role="relay",server="other"} %d`, strangers/talking),
		fmt.Sprintf(`mailtap_attachments_total{type="other"} %d`, strangers/talking),
		fmt.Sprintf(`mailtap_hop_delay_seconds_count{direction="external"} %d`, strangers/talking),
		fmt.Sprintf(`mailtap_commands_total{role="relay",verb="other"} %d`, strangers),
		`mailtap_deferred_recipients{server="other"} 1000`,
	} {
		if !strings.Contains(page, want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}
