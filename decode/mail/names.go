package mail

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

	received known = iota - 1
	authenticationResults
	dkimSignature
	arcSeal

	// These are known only because they must not come twice, or for being there.
	bcc
	references

	unknown
)

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

// byLength lists the names in lower case by how long they are: most names are
// told apart by it.
var byLength = [...][]struct {
	name  string
	field known
}{
	2:  {{"to", to}, {"cc", cc}},
	3:  {{"bcc", bcc}},
	4:  {{"from", from}, {"date", date}},
	6:  {{"sender", sender}},
	7:  {{"subject", subject}, {"list-id", listID}},
	8:  {{"received", received}, {"reply-to", replyTo}, {"x-mailer", userAgent}, {"arc-seal", arcSeal}},
	10: {{"message-id", messageID}, {"references", references}, {"user-agent", userAgent}, {"precedence", precedence}},
	11: {{"in-reply-to", inReplyTo}, {"return-path", returnPath}},
	12: {{"content-type", contentType}},
	14: {{"dkim-signature", dkimSignature}, {"auto-submitted", autoSubmitted}},
	16: {{"x-originating-ip", originatingIP}},
	19: {{"content-disposition", contentDisposition}},
	22: {{"authentication-results", authenticationResults}},
	25: {{"content-transfer-encoding", contentEncoding}},
}

// lookup knows a name in any case.
func lookup(name []byte) known {
	if len(name) < len(byLength) {
		for _, k := range byLength[len(name)] {
			if equalFold(name, k.name) {
				return k.field
			}
		}
	}
	return unknown
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
