package sessions

import (
	"net/netip"
	"time"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// Options says how the tracker judges connections and where its limits are.
// The zero value works: every limit that is zero takes its default.
type Options struct {
	Sensor string         // name of this tap, part of the session ids
	Home   []netip.Prefix // networks that are ours; none: private address space
	Server []NamedServer  // names for addresses
	Ports  []PortRole     // server ports and their roles; none: DefaultPorts
	Limits Limits
	Memory int // octets that all connections may hold, about; default 320 MiB

	Keys        *keys.Log // secrets of TLS connections; nil: what is inside TLS stays unread
	HeadersOnly bool      // leaves the parts of messages unread: no attachments
}

// NamedServer gives a configured name to a server's networks.
type NamedServer struct {
	Name     string
	Networks []netip.Prefix
}

// PortRole says what a server port is for.
type PortRole struct {
	Port uint16
	Role string
}

// Roles with a meaning of their own; any other role is read like a relay.
const (
	RoleRelay       = "relay"
	RoleSubmission  = "submission"
	RoleSubmissions = "submissions" // TLS from the first octet (RFC 8314, 3.3)
	RoleLMTP        = "lmtp"        // a reply for each recipient (RFC 2033)
)

// DefaultPorts returns the roles of the standard ports.
func DefaultPorts() []PortRole {
	return []PortRole{{25, RoleRelay}, {587, RoleSubmission}, {465, RoleSubmissions}}
}

// Limits bounds what hostile or damaged traffic can hold. Reaching one is a
// named anomaly or a counter, never the end.
type Limits struct {
	Connections   int           // tracked at once; default 1,048,576
	OutOfOrder    int           // memory of what waits for a hole in one connection, octets; default 2 MiB
	HeldTotal     int           // the same of all connections; default 256 MiB
	HeldSegments  int           // segments of a connection that wait for the other direction; default 256
	Waiting       int           // octets of a client that wait for the server's decision; default 1 MiB
	Pending       int           // commands that wait for a reply; default 4,096
	Mails         int           // mails in a session's record; default 1,000
	MailsSize     int           // octets of them; default 8 MiB
	Recipients    int           // recipients of one mail in a record; default 2,000
	Extensions    int           // EHLO keywords in a record; default 100
	Exchange      int           // lines of the client in one AUTH exchange; default 16
	Auths         int           // AUTH attempts in a session's record; default 1,000
	Line          int           // octets of a command line; default 16 KiB
	Reply         int           // octets of a reply; default 64 KiB
	Header        int           // octets of a message header; default 256 KiB
	TLSWaiting    int           // encrypted octets of a connection that wait for their secrets; default 256 KiB
	Parts         int           // MIME parts of a message that are read; default 1,000
	Depth         int           // parts within parts; default 20
	Attachments   int           // attachments of one mail in a record; default 100
	FileName      int           // characters of an attachment's name; default 255
	ArchiveNames  int           // names of an archive's entries in a record; default 100
	IdleTimeout   time.Duration // without a packet; default 15 minutes
	SynTimeout    time.Duration // for a connection to open; default 75 seconds
	LingerTimeout time.Duration // an ended connection is remembered; default 10 seconds
}

// DefaultLimits returns every limit's default.
func DefaultLimits() Limits { return Limits{}.withDefaults() }

func orDefault[T int | time.Duration](v *T, d T) {
	if *v <= 0 {
		*v = d
	}
}

// withDefaults fills what is zero.
func (l Limits) withDefaults() Limits {
	orDefault(&l.Connections, 1<<20)
	orDefault(&l.OutOfOrder, 2<<20)
	orDefault(&l.HeldTotal, 256<<20)
	orDefault(&l.HeldSegments, 256)
	orDefault(&l.Waiting, 1<<20)
	orDefault(&l.Pending, 4096)
	orDefault(&l.Mails, 1000)
	orDefault(&l.MailsSize, 8<<20)
	orDefault(&l.Recipients, 2000)
	orDefault(&l.Extensions, 100)
	orDefault(&l.Auths, 1000)
	orDefault(&l.Exchange, 16)
	orDefault(&l.Line, 16<<10)
	orDefault(&l.Reply, 64<<10)
	orDefault(&l.Header, 256<<10)
	orDefault(&l.TLSWaiting, 256<<10)
	orDefault(&l.Parts, 1000)
	orDefault(&l.Depth, 20)
	orDefault(&l.Attachments, 100)
	orDefault(&l.FileName, 255)
	orDefault(&l.ArchiveNames, 100)
	orDefault(&l.IdleTimeout, 15*time.Minute)
	orDefault(&l.SynTimeout, 75*time.Second)
	orDefault(&l.LingerTimeout, 10*time.Second)
	return l
}
