package mail

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

var addressLists = []struct {
	raw  string
	want []string
}{
	{"", nil},
	{"a@b.test", []string{"a@b.test"}},
	{"a@b.test (Somebody (else) <x@y>)", []string{"a@b.test"}},
	{"A B <a@b.test>, c@d.test", []string{"a@b.test", "c@d.test"}},
	{`"x@y.test, z" <a@b.test>`, []string{"a@b.test"}},
	{"boss@corp.test <evil@x.test>", []string{"evil@x.test"}},
	{`"Jan" <jan@x.test>, "Group":one@x.test, <two@x.test>, "Three" <three@x.test>;, four@x.test`, []string{"jan@x.test", "one@x.test", "two@x.test", "three@x.test", "four@x.test"}},
	{"undisclosed-recipients:;", nil},
	{`"john doe"@b.test`, []string{`"john doe"@b.test`}},
	{"<@relay.test,@other.test:a@b.test>", []string{"a@b.test"}},
	{"Grüße <grüße@bücher.test>", []string{"grüße@bücher.test"}},
	{"=?utf-8?Q?a@b?= <c@d.test>", []string{"c@d.test"}},
	{"a@b.test c@d.test", []string{"a@b.test", "c@d.test"}},
	{`"no end <a@b.test>`, []string{"a@b.test"}},
	{"nobody, <>, @b.test", nil},
}

func addresses(raw []byte, limit int) ([]string, bool) {
	p := addressParser{field: raw, texts: &texts{}, limit: limit}
	p.parse()
	return p.list, p.cut
}

func TestAddresses(t *testing.T) {
	for _, c := range addressLists {
		if got, cut := addresses([]byte(c.raw), 100); !slices.Equal(got, c.want) || cut {
			t.Errorf("%q: %q, want %q", c.raw, got, c.want)
		}
	}
	if got, cut := addresses([]byte(strings.Repeat("a@b,", 10)), 3); len(got) != 3 || !cut {
		t.Errorf("%q, cut %v", got, cut)
	}
}

func TestHops(t *testing.T) {
	at := time.Date(2026, 11, 23, 9, 0, 2, 0, time.UTC)
	for _, c := range []struct {
		raw  string
		want Hop
	}{
		{"from client.test (host.test [10.20.0.10]) by mail.test (Postfix) with ESMTPS id 3A5 for <a@b.test>; Mon, 23 Nov 2026 10:00:02 +0100",
			Hop{"client.test", "10.20.0.10", "mail.test", "ESMTPS", at}},
		{"from [IPv6:2001:db8::1] by mx (x; y) with esmtp; Mon, 23 Nov 2026 09:00:02 +0000 (UTC)", Hop{"[IPv6:2001:db8::1]", "2001:db8::1", "mx", "ESMTP", at}},
		{"from mx.test (45.0.10.15) by mx.test (::1) with Microsoft SMTP Server id 15.1; Mon, 23 Nov 2026 09:00:02 +0000", Hop{"mx.test", "45.0.10.15", "mx.test", "SMTP", at}},
		{"(from root@localhost) by mx.test (8.14/Submit) id x", Hop{By: "mx.test"}},
		{"by mx.test (Postfix, from userid 0) id x; yesterday", Hop{By: "mx.test"}},
		{"", Hop{}},
	} {
		if got := new(texts).hop([]byte(c.raw)); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.raw, got, c.want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	for _, c := range []struct {
		raw  string
		want []Verdict
	}{
		{"mx.test; none", nil},
		{"mx.test 1; spf=Pass (sender; ok) smtp.mailfrom=a@b.test smtp.helo=h; dkim=fail reason=\"bad; hash\" header.d=b.test header.i=@b.test; dmarc/1 = none header . from=x",
			[]Verdict{
				{"mx.test", "spf", "pass", []Property{{"smtp.mailfrom", "a@b.test"}, {"smtp.helo", "h"}}},
				{"mx.test", "dkim", "fail", []Property{{"header.d", "b.test"}, {"header.i", "@b.test"}}},
				{"mx.test", "dmarc", "none", nil},
			}},
		{"spf=pass smtp.mailfrom=b.test", []Verdict{{"", "spf", "pass", []Property{{"smtp.mailfrom", "b.test"}}}}},
		{"mx; =; x=; =y; ;", nil},
		{"", nil},
	} {
		if got := new(HeaderReader).appendVerdicts(nil, &texts{}, []byte(c.raw)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%q\n%+v, want\n%+v", c.raw, got, c.want)
		}
	}
	if n := len(new(HeaderReader).appendVerdicts(nil, &texts{}, []byte("x;"+strings.Repeat("a=b;", 500)))); n != maxVerdicts {
		t.Errorf("%d verdicts", n)
	}
}

func TestTraceAndHandling(t *testing.T) {
	var h HeaderReader
	h.Write([]byte(crlf("Return-Path: <bounce@x.test>\nReceived: from a by b; Mon, 23 Nov 2026 09:00:02 +0000\nReceived: from c by a\n" +
		"ARC-Seal: i=2; a=x; cv=pass\nARC-Seal: i=1; cv=none; d=a\nDKIM-Signature: d=X.test; s=sel\n" +
		"Authentication-Results: mx; dmarc=fail header.from=x.test\n" +
		"From: A <a@x.test>, B <b@y.test>\nSender: S <s@x.test>\nReply-To: R <r@z.test>\nCc: =?utf-8?Q?=C3=BC?= <u@z.test>\nIn-Reply-To: <1@x>\nReferences: <0@x>\n" +
		"X-Originating-IP: [192.0.2.1]\nAuto-Submitted: Auto-Replied; owner=x\nList-Id: News <news.x.test>\nPrecedence: Bulk\n\n")))
	got := h.Fields()
	want := Fields{
		From: "A <a@x.test>, B <b@y.test>", Cc: "ü <u@z.test>", ReplyTo: "R <r@z.test>", Received: 2,
		FromAddresses: []string{"a@x.test", "b@y.test"}, CcAddresses: []string{"u@z.test"}, ReplyToAddresses: []string{"r@z.test"},
		Sender: "s@x.test", ReturnPath: "bounce@x.test", InReplyTo: "<1@x>", References: true, OriginatingIP: "192.0.2.1",
		AutoSubmitted: "auto-replied", ListID: "news.x.test", Precedence: "bulk",
		AuthResults: []string{"mx; dmarc=fail header.from=x.test"}, DKIMDomains: []string{"x.test"},
		Hops:           []Hop{{From: "a", By: "b", Time: time.Date(2026, 11, 23, 9, 0, 2, 0, time.UTC)}, {From: "c", By: "a"}},
		Verdicts:       []Verdict{{"mx", "dmarc", "fail", []Property{{"header.from", "x.test"}}}},
		Signatures:     []Signature{{"x.test", "sel"}},
		ARC:            ARC{2, "pass"},
		NewestReceived: time.Date(2026, 11, 23, 9, 0, 2, 0, time.UTC),
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
}

func TestMaxHops(t *testing.T) {
	h := HeaderReader{Options: Options{MaxHops: 2}}
	h.Write([]byte("Received: by a\r\nReceived: by b\r\nReceived: by c\r\n\r\n"))
	if f := h.Fields(); len(f.Hops) != 2 || f.Hops[1].By != "b" || f.Received != 3 || f.LimitReached {
		t.Errorf("%+v", f)
	}
}
