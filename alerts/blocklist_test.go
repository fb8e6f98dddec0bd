package alerts

import (
	"testing"

	"github.com/mailtap/mailtap/sessions"
)

// TestBlocklistTexts holds which refusals name a blocklist. The texts are those
// of servers that are in use.
func TestBlocklistTexts(t *testing.T) {
	for text, want := range map[string]bool{
		"5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; https://www.spamhaus.org/query/ip/192.0.2.1":                      true,
		"5.7.1 Service unavailable; client [192.0.2.1] blocked using bl.spamcop.net":                                                                          true,
		"Service unavailable; Client host [mx.corp.test] blocked using Barracuda Reputation; http://www.barracudanetworks.com/reputation/?r=1":                true,
		"5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your provider since part of their network is on our block list (S3140).": true,
		"5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list":                                                  true,
		"Blocked - see https://www.uceprotect.net/en/rblcheck.php?ipr=192.0.2.1":                                                                              true,
		"Your IP 192.0.2.1 is listed in our local blacklist":                                                                                                  true,
		"[192.0.2.1] is currently listed at all.s5h.net":                                                                                                      true,
		"JunkMail rejected - mx.corp.test [192.0.2.1] is in an RBL: http://www.sorbs.net/lookup.shtml?192.0.2.1":                                              true,
		"Access denied, refused by DNSBL": true,
		"4.7.1 <a@b.test>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/b.test.html": false,
		"4.2.0 <a@b.test>: Recipient address rejected: Greylisted for 300 seconds":                                     false,
		"4.7.1 Greylisting in action, please come back later":                                                          false,
		"5.1.1 User a (a@b.test) not listed in public Name & Address Book":                                             false,
		"5.1.1 The mailbox is not listed in our directory":                                                             false,
		"permanent failure for one or more recipients (a@b.test:550 barracuda1.b.test: user unknown)":                  false,
		"5.7.26 This mail has been blocked because the sender is unauthenticated":                                      false,
		"5.3.4 Message too big; absorbs too much":                                                                      false,
		"4.4.2 mx.b.test Error: timeout exceeded":                                                                      false,
	} {
		reply := said(conn("10.20.0.25", "192.0.2.1:25"), 0, "RCPT", 554, text)
		greeting := closed(conn("10.20.0.25", "192.0.2.2:25"), 0, sessions.Session{Banner: sessions.Banner{Code: 554, Text: text}})
		e, b := engine(t, reading(reply, greeting), site)
		e.Handle(reply)
		e.Handle(greeting)
		if got := len(b.lines); got != 0 != want || got == 1 {
			t.Errorf("%d alerts, want them: %v: %s", got, want, text)
		}
	}
}
