package metrics

import (
	"github.com/mailtap/mailtap/decode/smtp"
	"github.com/mailtap/mailtap/sessions"
)

// other is the value of a label for everything that its list does not name.
const other = "other"

// set is the closed list of values of one label; the last one is other.
type set struct {
	label  string
	names  []string
	index  map[string]int
	slots  [slots]named // by slotOf: the first name that falls there
	seeded int          // how many of names, from the first, exist from the start
}

type named struct {
	name  string
	index int
}

// slots is a power of two well above the number of names of most sets.
const slots = 128

// slotOf spreads names by their length and three of their octets.
func slotOf(name string) uint {
	if name == "" {
		return 0
	}
	n := uint(len(name))
	return (n + 7*uint(name[0]) + 29*uint(name[n/2]) + 3*uint(name[n-1])) % slots
}

// newSet makes a set. other is not seeded: it is there for what should not be.
func newSet(label string, names ...string) *set {
	s := &set{label: label, index: map[string]int{}}
	for _, name := range names {
		if _, twice := s.index[name]; name != other && name != "" && !twice {
			s.index[name] = len(s.names)
			s.names = append(s.names, name)
		}
	}
	s.seeded = len(s.names)
	s.names = append(s.names, other)
	for i := range s.slots {
		s.slots[i].index = len(s.names) - 1 // of the empty value
	}
	for i, name := range s.names {
		if slot := &s.slots[slotOf(name)]; slot.name == "" {
			*slot = named{name, i}
		}
	}
	return s
}

// withOther seeds other too: where other is the ordinary value.
func (s *set) withOther() *set {
	s.seeded = len(s.names)
	return s
}

// seed limits what is seeded to the first n names.
func (s *set) seed(n int) *set {
	s.seeded = min(n, s.seeded)
	return s
}

// of finds the index of a value, the one of other where it is not listed.
func (s *set) of(value string) int {
	if slot := &s.slots[slotOf(value)]; slot.name == value {
		return slot.index
	}
	if i, ok := s.index[value]; ok {
		return i
	}
	return len(s.names) - 1
}

// endOfData is the name under which the reply to a message's content counts.
const endOfData = "."

func verbSet() *set { return newSet("verb", smtp.Verbs[:]...).withOther() }

// replyVerbSet also has the end of data, whose reply decides over the mail.
func replyVerbSet() *set {
	return newSet("verb", append(append([]string{}, smtp.Verbs[:]...), endOfData)...)
}

// commandIndexes tells the verb of a command by the verb of its reply.
func commandIndexes(reply, command *set) []int {
	out := make([]int, len(reply.names))
	for i, name := range reply.names {
		out[i] = command.of(name)
	}
	return out
}

// Places in rcptResults.
const (
	rcptAccepted = iota
	rcptDeferred
	rcptRejected
)

var rcptResults = [...]string{rcptAccepted: "accepted", rcptDeferred: "deferred", rcptRejected: "rejected"}

// replyCodes are the codes that a standard names: RFC 5321 4.2.3, RFC 1846,
// RFC 1985 (ETRN), RFC 2645 (ATRN), RFC 3207, RFC 4954, RFC 5248 with IANA's
// "SMTP Enhanced Status Codes" (basic codes that go with them), RFC 7504, and 353
// of PRDR.
var replyCodes = [...]string{
	"211", "214", "220", "221", "235", "250", "251", "252", "253", "334", "353", "354", "355",
	"421", "422", "432", "450", "451", "452", "453", "454", "455", "458", "459",
	"500", "501", "502", "503", "504", "521", "523", "524", "525", "530", "534", "535", "538",
	"550", "551", "552", "553", "554", "555", "556",
}

// codeClasses stand for codes that no standard names.
var codeClasses = [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}

// codes finds the index of a reply's code in O(1).
type codes struct {
	*set
	byCode [1000]uint8
}

func newCodes() *codes {
	c := &codes{set: newSet("code", append(replyCodes[:len(replyCodes):len(replyCodes)], codeClasses[:]...)...)}
	for n := range c.byCode {
		name := string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
		if _, known := c.index[name]; !known && n >= 100 && n < 600 {
			name = codeClasses[n/100-1]
		}
		c.byCode[n] = uint8(c.of(name))
	}
	return c
}

func (c *codes) at(code int) int {
	if code < 0 || code >= len(c.byCode) {
		return len(c.names) - 1
	}
	return int(c.byCode[code])
}

// mechanisms are SASL mechanisms that mail servers offer (IANA's registry, and
// the ones that Microsoft and Google added). The first ones are seeded.
var mechanisms = [...]string{
	"PLAIN", "LOGIN", "XOAUTH2", "CRAM-MD5",
	"OAUTHBEARER", "SCRAM-SHA-1", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "SCRAM-SHA-512-PLUS",
	"DIGEST-MD5", "NTLM", "GSSAPI", "GS2-KRB5", "GS2-KRB5-PLUS", "GSS-SPNEGO", "KERBEROS_V4", "EXTERNAL", "ANONYMOUS", "OTP", "SKEY", "SECURID",
}

// exposing are the mechanisms that send a reusable secret.
var exposing = [...]string{"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}

var tlsVersions = [...]string{"SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"}

// tlsCiphers are the suites that mail servers negotiate, in OpenSSL's names;
// export and NULL suites count as other.
var tlsCiphers = [...]string{
	"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256",
	"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
	"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
	"DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305",
	"ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA384",
	"ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES128-SHA256", "ECDHE-RSA-AES256-SHA", "ECDHE-RSA-AES256-SHA384",
	"DHE-RSA-AES128-SHA", "DHE-RSA-AES128-SHA256", "DHE-RSA-AES256-SHA", "DHE-RSA-AES256-SHA256", "DHE-RSA-CAMELLIA128-SHA", "DHE-RSA-CAMELLIA256-SHA",
	"AES128-GCM-SHA256", "AES256-GCM-SHA384", "AES128-SHA", "AES128-SHA256", "AES256-SHA", "AES256-SHA256", "CAMELLIA128-SHA", "CAMELLIA256-SHA",
	"ADH-AES128-SHA", "ADH-AES256-SHA", "ADH-AES128-GCM-SHA256", "ADH-AES256-GCM-SHA384", "AECDH-AES128-SHA", "AECDH-AES256-SHA",
	"ECDHE-RSA-DES-CBC3-SHA", "DHE-RSA-DES-CBC3-SHA", "DES-CBC3-SHA", "ECDHE-RSA-RC4-SHA", "RC4-SHA", "RC4-MD5",
}

func anomalySet() *set {
	names := make([]string, len(sessions.AnomalyTable))
	for i, k := range sessions.AnomalyTable {
		names[i] = k.Name
	}
	return newSet("kind", names...)
}
