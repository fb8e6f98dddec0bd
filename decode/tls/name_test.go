package tls

import (
	"encoding/asn1"
	"strings"
	"testing"
)

// named writes a distinguished name of single attributes.
func named(t *testing.T, attributes ...attribute) []byte {
	t.Helper()
	var parts []attributeSET
	for _, a := range attributes {
		parts = append(parts, attributeSET{a})
	}
	der, err := asn1.Marshal(parts)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func value(tag int, octets string) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassUniversal, Tag: tag, Bytes: []byte(octets)}
}

// TestDistinguishedName: whatever a certificate holds becomes one line of text.
func TestDistinguishedName(t *testing.T) {
	commonName, other := asn1.ObjectIdentifier{2, 5, 4, 3}, asn1.ObjectIdentifier{1, 2, 3}
	for _, c := range []struct {
		der  []byte
		want string
	}{
		{named(t, attribute{asn1.ObjectIdentifier{2, 5, 4, 6}, value(asn1.TagPrintableString, "DE")}, attribute{commonName, value(asn1.TagUTF8String, "Müller")}), "CN=Müller,C=DE"},
		{named(t, attribute{commonName, value(asn1.TagBMPString, "\x00M\x00\xfc")}), "CN=Mü"},
		{named(t, attribute{commonName, value(asn1.TagT61String, "M\xfc")}), "CN=Mü"},
		{named(t, attribute{commonName, value(asn1.TagUTF8String, "M\xfc")}), "CN=Mü"},
		{named(t, attribute{other, value(asn1.TagInteger, "\x05")}), "1.2.3=#020105"},
		{named(t, attribute{commonName, value(asn1.TagUTF8String, ` a,b+c"d\e<f>g;h `)}), `CN=\ a\,b\+c\"d\\e\<f\>g\;h\ `},
		{named(t, attribute{commonName, value(asn1.TagUTF8String, "a\n\x1b[31m\u202eb")}), `CN=a\0a\1b[31m\e2\80\aeb`},
		{named(t), ""},
	} {
		if got, ok := distinguishedName(c.der); got != c.want || !ok {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	long := named(t, attribute{commonName, value(asn1.TagUTF8String, strings.Repeat("ü", 3000))})
	if got, _ := distinguishedName(long); len(got) > maxName || len(got) < maxName-1 || !sound(got) {
		t.Errorf("%d octets", len(got))
	}
	pair, _ := asn1.Marshal([]attributeSET{{{commonName, value(asn1.TagUTF8String, "a")}, {other, value(asn1.TagUTF8String, "b")}}})
	if got, _ := distinguishedName(pair); got != "1.2.3=b+CN=a" { // DER sorts a set
		t.Errorf("%q", got)
	}
	for _, der := range [][]byte{nil, {0x30}, append(named(t), 0)} {
		if _, ok := distinguishedName(der); ok {
			t.Errorf("%x is no name", der)
		}
	}
}
