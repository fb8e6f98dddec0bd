package tls

import (
	"encoding/binary"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// offered is what the hellos of the conversations say. JA3 and JA3S are those
// of tshark 4.0, JA4 was made by the document from the fields that it shows.
var offered = map[string]struct{ version, ja3, ja3s, ja4 string }{
	"02a_starttls13_auth_postfix-0":             {"TLSv1.3", "c12b4ccd5320bbb380ca1a9df90f771d", "15af977ce25de452b96affa2addb1036", "t13i311000_e8f1e7e78f70_d41ae481755e"},
	"02a_starttls13_auth_postfix-1":             {"TLSv1.3", "f35ce21b44ac0b87d3266294bb1b0e20", "15af977ce25de452b96affa2addb1036", "t13d291300_723694b0fccc_2cc26d266019"},
	"02c_tls_handshake_failures-0":              {"TLSv1.3", "d39e1be3241d516b1f714bd47c2bc968", "15af977ce25de452b96affa2addb1036", "t13d311100_e8f1e7e78f70_d41ae481755e"},
	"02c_tls_handshake_failures-2":              {"TLSv1.3", "d39e1be3241d516b1f714bd47c2bc968", "ec74a5c51106f0419184d0dd08fb05bc", "t13d311100_e8f1e7e78f70_d41ae481755e"},
	"02c_tls_handshake_failures-3":              {"TLSv1.3", "d39e1be3241d516b1f714bd47c2bc968", "15af977ce25de452b96affa2addb1036", "t13d311100_e8f1e7e78f70_d41ae481755e"},
	"02c_tls_handshake_failures-4":              {"TLSv1.3", "f146948b4a599d4d7ddf071b74696983", "", "t13d041000_16476d049b0b_78f1d400d464"},
	"02c_tls_handshake_failures-5":              {"TLSv1.2", "9afe3d001ad83d43b621654f775b8db7", "", "t12d020700_6d4732649639_e7e480e5a997"},
	"03_starttls12_ecdhe_cert_visible-0":        {"TLSv1.3", "c12b4ccd5320bbb380ca1a9df90f771d", "ec74a5c51106f0419184d0dd08fb05bc", "t13i311000_e8f1e7e78f70_d41ae481755e"},
	"03_starttls12_ecdhe_cert_visible-1":        {"TLSv1.3", "d39e1be3241d516b1f714bd47c2bc968", "ec74a5c51106f0419184d0dd08fb05bc", "t13d311100_e8f1e7e78f70_d41ae481755e"},
	"03_starttls12_ecdhe_cert_visible-2":        {"TLSv1.2", "871a754af286dfb70c1b53c6887c62e0", "6636a28db4c3adbb8f87dd71b1d65530", "t12d280700_d943125447b4_e7e480e5a997"},
	"04b_465_tls12_aes128gcm_keylog-0":          {"TLSv1.2", "d1f47f694f10b1faf653048918492609", "1af33e1657631357c73119488045302c", "t12d020700_b06afd972a5c_e7e480e5a997"},
	"04f_587_starttls_tls12_rsakex_keylog-0":    {"TLSv1.2", "501801de8dfd25a0aa11de189c12c3ae", "110000ad915ab9299cb0e19279cb104c", "t12d020500_798dd72d0aaa_dd2006f5fa1e"},
	"04g_587_starttls_tls13_keylog-0":           {"TLSv1.3", "f146948b4a599d4d7ddf071b74696983", "15af977ce25de452b96affa2addb1036", "t13d041000_16476d049b0b_78f1d400d464"},
	"04i_465_tls13_chacha20_keylog-0":           {"TLSv1.3", "a61dcbb757e4f34f375bfa3184a73fa7", "475c9302dc42b2751db9edcac3b74891", "t13d021000_bb76221c5b8c_78f1d400d464"},
	"04l_465_tls12_resumption_keylog-0":         {"TLSv1.2", "6f8cab1083dd7ae38ecec51d730a9424", "ec74a5c51106f0419184d0dd08fb05bc", "t12d020700_f09d9ff7e6fc_e7e480e5a997"},
	"04l_465_tls12_resumption_keylog-1":         {"TLSv1.2", "6f8cab1083dd7ae38ecec51d730a9424", "fd4bc6cea4877646ccd62f0792ec0b62", "t12d020700_f09d9ff7e6fc_e7e480e5a997"},
	"16_starttls_injection-2":                   {"TLSv1.3", "d39e1be3241d516b1f714bd47c2bc968", "15af977ce25de452b96affa2addb1036", "t13d311100_e8f1e7e78f70_d41ae481755e"},
	"20d_bruteforce_in_tls_keylog-0":            {"TLSv1.3", "d39e1be3241d516b1f714bd47c2bc968", "15af977ce25de452b96affa2addb1036", "t13d311100_e8f1e7e78f70_d41ae481755e"},
	"25_ipv6-2":                                 {"TLSv1.3", "d39e1be3241d516b1f714bd47c2bc968", "15af977ce25de452b96affa2addb1036", "t13d311100_e8f1e7e78f70_d41ae481755e"},
	"40a_bad_certificates_tls12-0":              {"TLSv1.2", "6f8cab1083dd7ae38ecec51d730a9424", "ec74a5c51106f0419184d0dd08fb05bc", "t12d020700_f09d9ff7e6fc_3c5a66c06c35"},
	"40a_bad_certificates_tls12-1":              {"TLSv1.2", "6f8cab1083dd7ae38ecec51d730a9424", "ec74a5c51106f0419184d0dd08fb05bc", "t12d020700_f09d9ff7e6fc_3c5a66c06c35"},
	"40a_bad_certificates_tls12-2":              {"TLSv1.2", "6f8cab1083dd7ae38ecec51d730a9424", "ec74a5c51106f0419184d0dd08fb05bc", "t12d020700_f09d9ff7e6fc_3c5a66c06c35"},
	"openssl_tls10_cbc":                         {"TLSv1", "0d4657a96617360f027fa540f291459a", "639b2b7524627f138555cc33191fc522", "t10d0205sp_a5878986a7c9_23f7d3b00788"},
	"openssl_tls11_cbc":                         {"TLSv1.1", "d9f62c5512a805888bc4b23c1a9c8f32", "af947e231ff0fdd46a772271a193a155", "t11d0205sp_f2d8273d9564_23f7d3b00788"},
	"openssl_tls12_anon":                        {"TLSv1.2", "05246952813afd8a0626d89b55f1dcdb", "0664838013b8f6bef422225d69c72619", "t12d0208sp_59980b593f60_3c5a66c06c35"},
	"openssl_tls12_cbc_etm":                     {"TLSv1.2", "62cbc18c445f5ffc88fb9dee9211fe6c", "9936d1dbd4ca64fb83a8bba36f096467", "t12d0208sp_04f72be57293_3c5a66c06c35"},
	"openssl_tls12_ccm8":                        {"TLSv1.2", "0410ccbfef6d881e1310e37230069785", "c97170ee4862f47d24338bffb868087f", "t12d0306sp_6a2eb24eee3e_dd2006f5fa1e"},
	"openssl_tls12_chacha":                      {"TLSv1.2", "bd2d3d0c2f2fed8ee0a8c19169f89565", "4353c8aab3c27476ca684d8898cbbe79", "t12d0208sp_c5d8418a506e_3c5a66c06c35"},
	"openssl_tls12_client_certificate_required": {"TLSv1.2", "b1a12f1fa5f4c4457ca590d349853ffa", "895252f3ce80cebf7a8837be83ec8e16", "t12d0208sp_f09d9ff7e6fc_3c5a66c06c35"},
	"openssl_tls12_gcm_no_quit":                 {"TLSv1.2", "b1a12f1fa5f4c4457ca590d349853ffa", "895252f3ce80cebf7a8837be83ec8e16", "t12d0208sp_f09d9ff7e6fc_3c5a66c06c35"},
	"openssl_tls13_client_certificate_required": {"TLSv1.3", "9dffdb8b608a430b774a2ff7d36c1a0c", "15af977ce25de452b96affa2addb1036", "t13d0411sp_16476d049b0b_78f1d400d464"},
}

// A hello is made from lists of numbers.
func u16(numbers ...int) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	return b
}

func vector(octets int, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	length := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	return append(length[4-octets:], body...)
}

func extension(kind int, parts ...[]byte) []byte { return append(u16(kind), vector(2, parts...)...) }

func message(kind byte, body []byte) []byte { return append([]byte{kind}, vector(3, body)...) }

func record(kind byte, body []byte) []byte { return append([]byte{kind, 3, 1}, vector(2, body)...) }

func helloBody(version int, suites []byte, extensions ...[]byte) []byte {
	b := append(u16(version), make([]byte, randomLength)...)
	b = append(b, 0)
	b = append(b, vector(2, suites)...)
	b = append(b, 1, 0)
	if len(extensions) > 0 {
		b = append(b, vector(2, extensions...)...)
	}
	return b
}

func serverHelloBody(version, suite int, extensions ...[]byte) []byte {
	b := append(u16(version), make([]byte, randomLength)...)
	b = append(b, 0)
	b = append(b, u16(suite)...)
	b = append(b, 0)
	if len(extensions) > 0 {
		b = append(b, vector(2, extensions...)...)
	}
	return b
}

func (o *offer) ja4(text []byte) string { return string(o.appendJA4(nil, text)) }

func offerOf(body []byte) *offer {
	o := new(offer)
	o.read(body)
	return o
}

// TestJA3Published takes the examples of github.com/salesforce/ja3.
func TestJA3Published(t *testing.T) {
	for _, c := range []struct {
		hello []byte
		text  string
		hash  string
	}{
		{helloBody(769, u16(47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4),
			extension(0, vector(2, []byte{0}, vector(2, []byte("a.test")))),
			extension(10, vector(2, u16(23, 24, 25))), extension(11, vector(1, []byte{0}))),
			"769,47-53-5-10-49161-49162-49171-49172-50-56-19-4,0-10-11,23-24-25,0", "ada70206e40642a3e4461f35503241d5"},
		{helloBody(769, u16(4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99)),
			"769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"},
		{helloBody(769, u16(0x0a0a, 4, 5, 10, 0xfafa, 9, 100, 98, 3, 6, 19, 18, 99), extension(0x1a1a)),
			"769,4-5-10-9-100-98-3-6-19-18-99,,,", "de350869b8c85de67a350c8d186f11e6"},
		{helloBody(771, u16(0x0a1a), extension(10, vector(2, u16(0x2a2a, 29, 0x3a3a))), extension(11, vector(1, []byte{0, 1, 2}))),
			"771,2586,10-11,29,0-1-2", ""},
	} {
		text := offerOf(c.hello).ja3(nil)
		if string(text) != c.text || c.hash != "" && md5Hex(text) != c.hash {
			t.Errorf("%s is %s, want %s %s", text, md5Hex(text), c.text, c.hash)
		}
	}
	w := new(Watch)
	w.serverHello(serverHelloBody(769, 5, extension(65281), extension(35))) // 769,5,65281-35
	if want := "6b96cf9c27b0223177b0e9f135fe4899"; w.facts.JA3S != want {
		t.Errorf("JA3S is %s, want %s", w.facts.JA3S, want)
	}
}

// documented is the hello that the document of JA4 goes through, with GREASE.
func documented(protocols ...[]byte) []byte {
	alpn := extension(extALPN, vector(2, protocols...))
	if protocols == nil {
		alpn = nil
	}
	return helloBody(771, u16(0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x9c, 0x9d, 0x2f, 0x35),
		extension(0x9a9a), extension(0x1b), extension(0), extension(0x33), alpn, extension(0x4469), extension(0x17), extension(0x2d),
		extension(extSignatureAlgorithms, vector(2, u16(0x0403, 0x0804, 0x3a3a, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601))),
		extension(5), extension(0x23), extension(0x12),
		extension(extSupportedVersions, vector(1, u16(0xeaea, 0x0304, 0x0303))),
		extension(0xff01), extension(0xb), extension(0xa), extension(0x15), extension(0x2a2a, []byte{0}))
}

func TestJA4Document(t *testing.T) {
	name := func(b ...byte) []byte { return vector(1, b) }
	for want, body := range map[string][]byte{
		"t13d1516h2_8daaf6152771_e5627efa2ab1": documented(name('h', '2'), name('h', 't', 't', 'p', '/', '1', '.', '1')),
		"t13d1516h1_8daaf6152771_e5627efa2ab1": documented([]byte("\x08http/1.1")),
		"t13d151500_8daaf6152771_e5627efa2ab1": documented(),
		"t13d151600_8daaf6152771_e5627efa2ab1": documented(name()),
		"t13d1516qq_8daaf6152771_e5627efa2ab1": documented(name('q')),
		"t13d1516ab_8daaf6152771_e5627efa2ab1": documented(name(0xab)),
		"t13d1516ad_8daaf6152771_e5627efa2ab1": documented(name(0xab, 0xcd)),
		"t13d15163b_8daaf6152771_e5627efa2ab1": documented(name(0x30, 0xab)),
		"t13d15163d_8daaf6152771_e5627efa2ab1": documented(name(0x30, 0x31, 0xab, 0xcd)),
		"t13d151601_8daaf6152771_e5627efa2ab1": documented(name(0x30, 0xab, 0xcd, 0x31)),
		// Without signature algorithms the list of extensions stands alone.
		"t13i011400_0f2cb44170f4_6d807ffa2a79": helloBody(771, u16(0x1301), extension(5), extension(0xa), extension(0xb), extension(0xd),
			extension(0x12), extension(0x15), extension(0x17), extension(0x1b), extension(0x23),
			extension(extSupportedVersions, vector(1, u16(0x0304))), extension(0x2d), extension(0x33), extension(0x4469), extension(0xff01)),
		"t00i000000_000000000000_000000000000": helloBody(0x0305, nil),
	} {
		if got := offerOf(body).ja4(nil); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestJA4Counts: 99 stands for more, and only GREASE is left out.
func TestJA4Counts(t *testing.T) {
	var suites []int
	var extensions [][]byte
	for i := range 120 {
		suites = append(suites, i)
		extensions = append(extensions, extension(100+i))
	}
	for n, want := range map[int]string{0: "t12i0000", 1: "t12i0101", 9: "t12i0909", 98: "t12i9898", 99: "t12i9999", 100: "t12i9999", 120: "t12i9999"} {
		got := offerOf(helloBody(771, u16(suites[:n]...), extensions[:n]...)).ja4(nil)
		if !strings.HasPrefix(got, want) || len(got) != 36 {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := offerOf(helloBody(771, u16(0x00ff, 0x5600, 0xfe00))).ja4(nil); !strings.HasPrefix(got, "t12i0300") {
		t.Errorf("%s", got)
	}
}

// TestOfferedVersion is the highest of the list, or the version field without.
func TestOfferedVersion(t *testing.T) {
	for _, c := range []struct {
		body       []byte
		want, code string
	}{
		{helloBody(0x0300, nil), "SSLv3", "s3"},
		{helloBody(0x0302, nil), "TLSv1.1", "11"},
		{helloBody(0x0303, nil, extension(extSupportedVersions, vector(1, u16(0x0301, 0x0304, 0x0303)))), "TLSv1.3", "13"},
		{helloBody(0x0303, nil, extension(extSupportedVersions, vector(1, u16(0xfafa, 0x0302)))), "TLSv1.1", "11"},
		{helloBody(0x0303, nil, extension(extSupportedVersions, vector(1, u16(0x7f1c, 0x0303)))), "0x7f1c", "00"},
		{helloBody(0x0303, nil, extension(extSupportedVersions)), "", "00"},
		{helloBody(0x0303, nil, extension(extSupportedVersions, vector(1, u16(0x0301))), extension(extSupportedVersions, vector(1, u16(0x0304)))), "TLSv1", "10"},
	} {
		w := new(Watch)
		w.clientHello(c.body)
		if f := w.Facts(); f.OfferedVersion != c.want || f.JA4[1:3] != c.code || f.Damaged {
			t.Errorf("offered %q %s, want %q %s", f.OfferedVersion, f.JA4, c.want, c.code)
		}
	}
}

// TestThirdParty reads a capture of another project where it is at hand.
func TestThirdParty(t *testing.T) {
	file, err := os.ReadFile("../../../shared/peers/arkime/smtp-starttls.pcap")
	if err != nil {
		t.Skip("needs the capture: ", err)
	}
	w := new(Watch)
	begun := false
	for b := file[24:]; len(b) > 16; {
		n := binary.LittleEndian.Uint32(b[8:])
		packet := b[16 : 16+n]
		b = b[16+n:]
		ip := packet[14:]
		length := int(binary.BigEndian.Uint16(ip[2:]))
		tcp := ip[int(ip[0]&15)*4 : length]
		payload := tcp[tcp[12]>>4*4:]
		fromServer := binary.BigEndian.Uint16(tcp) == 25
		if begun = begun || !fromServer && LooksLikeClientHello(payload); begun {
			w.take(chunk{!fromServer, payload})
		}
	}
	f := w.Facts()
	if f.JA3 != "fab507fe132c544e8a0eb7c394affeae" || f.JA3S != "6b96cf9c27b0223177b0e9f135fe4899" || f.JA4 != "t10i290100_cdba58456bdf_e78b541c01a9" {
		t.Errorf("fingerprints %s %s %s", f.JA3, f.JA3S, f.JA4)
	}
	if f.Cipher != "RC4-SHA" || f.Damaged || !f.Established || f.Certificate == nil || len(f.Certificate.Chain) != 2 {
		t.Fatalf("facts %+v", f)
	}
	for _, i := range f.Certificate.Chain {
		if sum, err := hex.DecodeString(i.SHA256); i.Subject == "" || i.Issuer == "" || i.NotAfter.IsZero() || err != nil || len(sum) != 32 {
			t.Errorf("intermediate %+v", i)
		}
	}
}
