// Package smtp cuts the two directions of an SMTP connection (RFC 5321) into
// tokens: Client reads commands, message content and AUTH responses, Server
// reads replies. It owns the octets of a token that is not complete, within
// limits. sessions feeds it and pulls tokens with Next; it decides nothing:
// DATA, BDAT, AUTH and STARTTLS change the client's grammar only when the
// server's reply says so, and sessions tells. Beside the tokenizers stand the
// readers of what a token carries: addresses and parameters, AUTH exchanges,
// queue ids, what proxies say of a client, and other protocols that are met on
// mail ports. It never does I/O and keeps no clock.
package smtp

// Kind says what a token is.
type Kind uint8

// Kinds of tokens.
const (
	Command    Kind = iota + 1 // a command line: Verb, Arg
	Response                   // a line inside an AUTH exchange: Data; a secret
	Body                       // octets of message content, dots unstuffed: Data
	EndOfData                  // the line with the dot (RFC 5321, 4.1.1.4)
	EndOfChunk                 // the last octet of a BDAT chunk
	Lookalike                  // an end of data that only a lenient server takes for one
	Lost                       // a gap: Gap octets
	Raw                        // octets behind STARTTLS or of another protocol: Data
)

// Flags of a command.
const (
	BareLF   = 1 << iota // the line ends without CR
	NUL                  // a NUL octet in the line
	LongLine             // cut at the limit
	BadSize              // BDAT without a usable size
	LastBDAT             // BDAT or BURL with LAST
	Headless             // the line's begin may be missing: it follows a gap
)

// Token is one thing that the client said. What it points to is borrowed until
// the tokenizer's next Next.
type Token struct {
	Kind  Kind
	Verb  Verb
	Flags uint8
	Arg   []byte // argument of a command, trimmed
	Data  []byte
	Line  []byte // a command's whole line; it may be a secret where Verb is Unknown
	Size  int64  // BDAT, XEXCH50: octets announced; XEXCH50: -1 where not usable
	Gap   int64
	Begin int64 // stream offset of the first octet
	End   int64 // stream offset behind the last octet
}
