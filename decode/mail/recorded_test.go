package mail

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "record what odd mails tell")

// oddNames and oddValues are what headers with traps are made of.
var (
	oddNames = strings.Split("Subject|From|To|Cc|Bcc|Reply-To|Sender|Return-Path|Date|Message-ID|In-Reply-To|References|X-Mailer|Received|Received|Received|"+
		"Authentication-Results|DKIM-Signature|ARC-Seal|List-Id|Precedence|Auto-Submitted|X-Originating-IP|Content-Type|Content-Disposition|Content-Transfer-Encoding|X-Spam|fRom|Subject\t", "|")
	oddValues = strings.Split(" |\t|\r\n |\r\n\t|\"|\\|(|)|<|>|@|,|;|:|=|a@b.test|<a@b.test>|Alice <alice@corp.test>|\"Doe, J\" <j@d.test>|\"j d\"@b.test|=?utf-8?Q?J=C3=BC?=|=?iso-8859-1?Q?=FC?=|"+
		"=?UTF-8?B?5pel5pys?=|=?koi8-r?B?8NLP18XSy8E=?=|=?|?=|\xc3\xbc|\xfc|\x00|\xc2\x85|from client.test (host.test [10.20.0.10]) by mx.test (Postfix) with ESMTPS id 3A5; Mon, 23 Nov 2026 10:00:02 +0100|"+
		"from|by|with|[IPv6:2001:db8::1]|(::1)|esmtpsa|Microsoft SMTP Server|Thu, 1 Jan 2026 10:00:00 +0000 (UTC)|23 nov 26 4:05:07 EST|31 Feb 2026 23:59:60 -0730|Mon, 23 Nov 2026 24:00:02 +0100|"+
		"mx.test; spf=Pass smtp.mailfrom=a@b.test; dkim=fail header.d=b.test|dmarc/1 = none header . from=x|reason=\"bad; x\"|v=1; a=rsa; d=Client.\r\n\ttest; s=S1|i=2; cv=pass|i=1|"+
		"Text/HTML; charset=utf-8|multipart/mixed; boundary=\"b\"|application/pdf; name=\"a.pdf\"|attachment; filename=\"a\\\"b.pdf\"|filename*0=a; filename*1*=%41|filename*=utf-8''%C3%BC|base64|quoted-printable|Bulk|auto-Replied; x|News <news.x.test>", "|")
)

func oddMail(r *rand.Rand) string {
	var b strings.Builder
	for range 1 + r.IntN(12) {
		b.WriteString(oddNames[r.IntN(len(oddNames))] + ": ")
		for range r.IntN(6) {
			b.WriteString(oddValues[r.IntN(len(oddValues))])
		}
		b.WriteString("\r\n")
	}
	return b.String() + randomFragments(r)
}

// TestRecorded holds what odd mails tell against what they told when it was
// recorded, a hash for each mail. A Message reads one after the other, and
// each cut in another way.
func TestRecorded(t *testing.T) {
	const file = "testdata/odd.golden"
	var got strings.Builder
	var m Message
	for seed := range uint64(1500) {
		content := oddMail(rand.New(rand.NewPCG(seed, 4)))
		m.Reset()
		told := readIn(&m, content, 1+int(seed*7%400))
		fmt.Fprintf(&got, "%d %s\n", seed, shortHash(fmt.Sprintf("%s%+v %v %v", told, m.Fields(), m.HeaderDone(), m.Oddities())))
	}
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(got.String(), "\n")
	for i, line := range strings.Split(string(want), "\n") {
		if i >= len(lines) || lines[i] != line {
			t.Fatalf("mail %d tells something else:\n%q", i, oddMail(rand.New(rand.NewPCG(uint64(i), 4))))
		}
	}
}
