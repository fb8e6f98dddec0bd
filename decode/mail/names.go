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
	received  // the topmost, for its date

	singles // those before are kept, the first of each

	authenticationResults known = iota - 1
	dkimSignature

	// These are known only because they must not come twice.
	sender
	replyTo
	cc
	bcc
	inReplyTo
	references

	unknown
)

// unique lists the fields of which a message may have one (RFC 5322, 3.6).
var unique = [...]struct {
	field known
	name  string
}{
	{date, "Date"}, {from, "From"}, {sender, "Sender"}, {replyTo, "Reply-To"}, {to, "To"}, {cc, "Cc"}, {bcc, "Bcc"},
	{messageID, "Message-ID"}, {inReplyTo, "In-Reply-To"}, {references, "References"}, {subject, "Subject"},
}

// lookup knows a name in any case. It goes by the length first: most names
// are told apart by it.
func lookup(name []byte) known {
	switch len(name) {
	case 2:
		return either(name, "to", to, "cc", cc)
	case 3:
		return either(name, "bcc", bcc, "", unknown)
	case 4:
		return either(name, "from", from, "date", date)
	case 6:
		return either(name, "sender", sender, "", unknown)
	case 7:
		return either(name, "subject", subject, "", unknown)
	case 8:
		if f := either(name, "received", received, "reply-to", replyTo); f != unknown {
			return f
		}
		return either(name, "x-mailer", userAgent, "", unknown)
	case 10:
		if f := either(name, "message-id", messageID, "references", references); f != unknown {
			return f
		}
		return either(name, "user-agent", userAgent, "", unknown)
	case 11:
		return either(name, "in-reply-to", inReplyTo, "", unknown)
	case 14:
		return either(name, "dkim-signature", dkimSignature, "", unknown)
	case 22:
		return either(name, "authentication-results", authenticationResults, "", unknown)
	}
	return unknown
}

func either(name []byte, a string, ifA known, b string, ifB known) known {
	switch {
	case equalFold(name, a):
		return ifA
	case equalFold(name, b):
		return ifB
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
