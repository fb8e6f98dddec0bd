package sessions

import (
	"net/netip"
	"time"

	"github.com/mailtap/mailtap/decode/mail"
)

// Conn says which connection an event belongs to. It is made once when the
// connection is first seen and never changes; all events of the connection
// share it.
type Conn struct {
	ID          string // unique over sensors and restarts; the same input gives the same id
	CommunityID string // Community ID v1 flow hash
	Client      netip.AddrPort
	Server      netip.AddrPort
	ServerName  string    // configured name, empty where there is none
	Role        string    // relay, submission, submissions, lmtp, or as configured
	Direction   string    // inbound, outbound, internal, external
	Start       time.Time // first packet
	VLANs       []uint16  // outermost first, as the first packet carried them
	Tunnels     []string  // outermost first, e.g. vxlan:42
}

// How a session ended.
const (
	EndQuit       = "quit"
	EndClosed     = "closed"     // FIN without QUIT
	EndReset      = "reset"      // RST in place
	EndRefused    = "refused"    // SYN answered by RST
	EndUnanswered = "unanswered" // SYN never answered
	EndTimeout    = "timeout"    // idle for longer than the limit
	EndEvicted    = "evicted"    // left out to stay within memory
	EndRunning    = "running"    // input ended first
)

// Ends lists every end of a session.
var Ends = [...]string{EndQuit, EndClosed, EndReset, EndRefused, EndUnanswered, EndTimeout, EndEvicted, EndRunning}

// Directions lists every direction of a connection, judged by the home networks.
var Directions = [...]string{"inbound", "outbound", "internal", "external"}

// Session is one TCP connection from its first packet to its end.
type Session struct {
	Duration                            time.Duration
	End                                 string
	Origin                              *Origin // nil where no proxy told of another client
	Outer                               string  // socks5 or http: the proxy's protocol before SMTP
	Banner                              Banner
	Helo                                Helo
	Extensions                          []string // EHLO keywords with their parameters, upper case, in the server's order
	TLS                                 TLS
	Auth                                []Auth
	Mails                               []*Mail
	Commands                            []Count // by verb, sorted
	Replies                             []Count // by code, sorted; a multi-line reply counts once
	Anomalies                           []string
	Bytes, Packets, Lost, Retransmitted Sides
	Partial                             bool // the start was missed, a direction is absent or bytes were lost
}

// Sides counts something for each direction.
type Sides struct{ Client, Server uint64 }

// Count is one name and how often it was seen.
type Count struct {
	Name string
	N    int
}

// Banner is the server's greeting.
type Banner struct {
	Code  int // 0 where none was seen
	Text  string
	Delay time.Duration // from the client's SYN, or first packet, to the greeting
}

// Helo is how the client named itself.
type Helo struct{ Verb, Name string }

// TLS modes.
const (
	TLSNone     = "none"
	TLSStartTLS = "starttls"
	TLSImplicit = "implicit"
)

// tlsMode is a mode of TLS.
type tlsMode uint8

const (
	noTLS tlsMode = iota
	startTLS
	implicitTLS
)

// String is the mode's name in records.
func (m tlsMode) String() string { return [...]string{TLSNone, TLSStartTLS, TLSImplicit}[m] }

// TLS outcomes, as the metric tls_sessions_total names them.
const (
	TLSEstablished = "established"
	TLSRefused     = "refused"  // STARTTLS offered, asked for, refused
	TLSFailed      = "failed"   // handshake did not complete
	TLSStripped    = "stripped" // the offer was masked or removed on the way
	TLSNotOffered  = "not_offered"
	TLSNotUsed     = "not_used" // offered, never asked for
)

// TLS is what the wire told of encryption.
type TLS struct {
	Mode                                      string // none, starttls, implicit
	Outcome                                   string // for metrics: established, refused, failed, stripped, not_offered, not_used
	Offered, Requested, Accepted, Established bool
	Version                                   string // TLSv1.3
	Cipher                                    string // OpenSSL's name
	SNI, ALPN                                 string
	OfferedVersion                            string // the highest that the client offered
	JA3, JA3S, JA4                            string // fingerprints of the hellos
	Retried                                   bool   // the server asked for another hello (RFC 8446, 4.1.4)
	Resumed                                   bool
	Decrypted                                 bool   // a key log opened it
	AlertFrom, AlertName                      string // client or server; RFC 8446 name
	Certificate                               *Certificate
	ClientCertificateRequested                bool
	ClientCertificate                         *Certificate
	Handshake                                 time.Duration // client hello to the last handshake message, 0 where unknown
}

// Certificate is the leaf that a side showed, in clear or where a key log opened
// the connection.
type Certificate struct {
	Subject, Issuer     string // CN=…,O=…
	Serial              string // hexadecimal
	NotBefore, NotAfter time.Time
	Names               []string
	SHA256              string
	SelfSigned          bool
	Key                 string   // kind and size, e.g. RSA-2048
	SignatureAlgorithm  string   // e.g. SHA256-RSA
	Problems            []string // what is wrong with it at the time and for the name asked for
	Chain               []Intermediate
}

// Intermediate is a certificate shown behind the leaf.
type Intermediate struct {
	Subject, Issuer string
	NotAfter        time.Time
	SHA256          string
}

// Results of an AUTH exchange.
const (
	AuthSuccess = "success"
	AuthFailure = "failure"
	AuthAborted = "aborted"
	AuthUnknown = "unknown"
)

// Auth is one AUTH command and what came of it. The secret is not in it.
type Auth struct {
	Time          time.Time
	Mechanism     string // upper case
	Username      string
	Authzid       string
	Domain        string // NTLM: whose user it is
	Target        string // what the login is for: NTLM's target, Kerberos' service@REALM
	Workstation   string // NTLM: the client's name of itself
	Result        string
	Code          int
	Enhanced      string
	Encrypted     bool // sent inside TLS
	SecretExposed bool // a reusable secret crossed the wire in clear
	Denied        bool // refused for its credentials: somebody's wrong password, not a protocol error
}

// Results of a mail transaction.
const (
	MailAccepted = "accepted"
	MailRejected = "rejected" // 5xx
	MailDeferred = "deferred" // 4xx
	MailAborted  = "aborted"  // RSET, QUIT or the end before the end of data
	MailUnknown  = "unknown"
)

// Mail is one mail transaction: from a MAIL command to its last reply. A
// pointer to it is shared by the mail event and the session: it is never
// changed after it was handed out.
type Mail struct {
	Time           time.Time     // of the MAIL command
	Duration       time.Duration // to the final reply
	From           string
	To             []string
	Rejected       []Rejection
	Unanswered     []string // recipients whose reply was not seen
	Result         string
	Code           int
	Enhanced       string
	Reply          string
	QueueID        string
	Size           int64 // octets of content; -1 where no content was sent
	DeclaredSize   int64 // SIZE parameter, -1 where absent
	Body           string
	Parameters     []string           // further parameters of MAIL, as KEYWORD=value, decoded
	Options        []RecipientOptions // of the accepted recipients that have some
	RecipientCodes []int              // LMTP: final code for each accepted recipient
	Header         *Header            // nil where no content was read
	Attachments    []Attachment
	Report         *Report  // of a delivery status notification and its kin; else nil
	Protection     string   // smime-signed, smime-encrypted, pgp-signed, pgp-encrypted
	Malformed      []string // anomalies that hide a part of it from filters or readers, sorted
	Login          string   // user name of the login that had succeeded in this session
	FromKnown      bool     // false where the MAIL command was lost; From "" is else the null reverse path
	SMTPUTF8       bool
	RequireTLS     bool
	Chunking       bool
	Truncated      bool // octets of the content were lost
	Smuggled       bool // began behind an end-of-data look-alike
	Authenticated  bool // sent in a session whose login had succeeded
	Encrypted      bool // sent inside TLS
}

// RecipientOptions are the parameters of a RCPT (RFC 3461, 4).
type RecipientOptions struct {
	To       string
	Notify   string // NEVER, or some of SUCCESS,FAILURE,DELAY
	Original string // ORCPT: type;address
}

// Rejection is a recipient that the server refused.
type Rejection struct {
	To       string
	Code     int
	Enhanced string
}

// Header holds the fields of the message header that records show, decoded
// (RFC 2047) and bounded.
type Header struct {
	Subject, From, To string
	MessageID         string
	Date              string
	Sent              time.Time // what Date says; zero where it cannot be read
	UserAgent         string
	Received          int
	AuthResults       []string
	DKIMDomains       []string
	HopDelay          time.Duration // newest Received or Date to this hop, 0 where unknown

	FromAddresses                     []string // the addresses of From, without names
	Cc, ReplyTo, Sender, ReturnPath   string
	InReplyTo, OriginatingIP          string
	AutoSubmitted, ListID, Precedence string
	Hops                              []Hop
	Verdicts                          []Verdict // of AuthResults
	ARC                               ARC
}

// What decode/mail reads of a message, as records show it.
type (
	Attachment = mail.Attachment
	Danger     = mail.Danger
	Report     = mail.Report
	Recipient  = mail.Recipient
	Hop        = mail.Hop
	Verdict    = mail.Verdict
	ARC        = mail.ARC
)
