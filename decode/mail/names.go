package mail

import "encoding/binary"

// known is a field name that matters here.
type known uint8

const (
	subject known = iota
	from
	to
	messageID
	date
	userAgent // or X-Mailer
	sender
	replyTo
	cc
	inReplyTo
	returnPath
	originatingIP
	autoSubmitted
	listID
	precedence
	contentType
	contentTypeAgain // the second Content-Type
	contentDisposition
	contentEncoding

	singles // those before are kept, the first of each

	received known = iota - 1 // up to arcSeal they are listed
	authenticationResults
	dkimSignature
	arcSeal

	// These are known only because they must not come twice, or for being there.
	bcc
	references

	unknown
)

const (
	firstListed = received
	lists       = arcSeal - received + 1
)

func (f known) isListed() bool { return f >= firstListed && f < firstListed+lists }

// ofContent says whether a field describes what the part holds. The
// Message-ID is that of a forwarded message.
func (f known) ofContent() bool { return f >= contentType && f <= contentEncoding || f == messageID }

// unique lists the fields of which a message may have one (RFC 5322, 3.6).
var unique = [...]struct {
	field known
	name  string
}{
	{date, "Date"}, {from, "From"}, {sender, "Sender"}, {replyTo, "Reply-To"}, {to, "To"}, {cc, "Cc"}, {bcc, "Bcc"},
	{messageID, "Message-ID"}, {inReplyTo, "In-Reply-To"}, {references, "References"}, {subject, "Subject"},
}

const ofUnique = 1<<date | 1<<from | 1<<sender | 1<<replyTo | 1<<to | 1<<cc | 1<<bcc | 1<<messageID | 1<<inReplyTo | 1<<references | 1<<subject

// byLength lists the names in lower case by how long they are: most names are
// told apart by it.
var byLength = [...][]knownName{
	2:  {asKnown("to", to), asKnown("cc", cc)},
	3:  {asKnown("bcc", bcc)},
	4:  {asKnown("from", from), asKnown("date", date)},
	6:  {asKnown("sender", sender)},
	7:  {asKnown("subject", subject), asKnown("list-id", listID)},
	8:  {asKnown("received", received), asKnown("reply-to", replyTo), asKnown("x-mailer", userAgent), asKnown("arc-seal", arcSeal)},
	10: {asKnown("message-id", messageID), asKnown("references", references), asKnown("user-agent", userAgent), asKnown("precedence", precedence)},
	11: {asKnown("in-reply-to", inReplyTo), asKnown("return-path", returnPath)},
	12: {asKnown("content-type", contentType)},
	14: {asKnown("dkim-signature", dkimSignature), asKnown("auto-submitted", autoSubmitted)},
	16: {asKnown("x-originating-ip", originatingIP)},
	19: {asKnown("content-disposition", contentDisposition)},
	22: {asKnown("authentication-results", authenticationResults)},
	25: {asKnown("content-transfer-encoding", contentEncoding)},
}

// knownName is a name with what compares it fast: its first octets and its
// last.
type knownName struct {
	name        string
	first, last uint64
	field       known
}

func asKnown(lower string, f known) knownName {
	first, last := ends([]byte(lower))
	return knownName{lower, first, last, f}
}

// ends are the first and the last eight octets of a name, in lower case if
// they are letters or hyphens. They tell all of one of up to 16 octets.
func ends(name []byte) (first, last uint64) {
	if n := len(name); n >= 8 {
		return binary.LittleEndian.Uint64(name) | ' '*each, binary.LittleEndian.Uint64(name[n-8:]) | ' '*each
	}
	for _, c := range name {
		first = first<<8 | uint64(c|' ')
	}
	return first, 0
}

// lookup knows a name in any case.
func lookup(name []byte) known {
	if len(name) >= len(byLength) {
		return unknown
	}
	list := byLength[len(name)]
	if len(list) == 0 {
		return unknown
	}
	first, last := ends(name)
	for i := range list {
		if k := &list[i]; k.first == first && k.last == last && (len(name) <= 16 || equalFold(name, k.name)) {
			return k.field
		}
	}
	return unknown
}

// nameLength is how many octets of a field name stand at the start (RFC 5322,
// 2.2): printable ones but the colon.
func nameLength(b []byte) int {
	i := 0
	for i < len(b) && isName[b[i]] {
		i++
	}
	return i
}

var isName = nameOctets()

func nameOctets() (table [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		table[c] = c != ':'
	}
	return table
}

// equalFold compares with a name in lower case.
func equalFold(name []byte, lower string) bool {
	if len(name) != len(lower) {
		return false
	}
	for i, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
