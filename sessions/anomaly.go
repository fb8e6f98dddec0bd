package sessions

// Kinds of anomaly: what was odd on the wire or reached a limit. A name is
// part of the records' and metrics' contract.
const (
	ClientGap          = "client_gap"
	ServerGap          = "server_gap"
	Midstream          = "midstream"
	OneWay             = "one_way"
	BadChecksum        = "bad_checksum"
	OddTTL             = "odd_ttl"
	OverlapConflict    = "overlap_conflict"
	ResetOutOfPlace    = "reset_out_of_place"
	OutOfOrderLimit    = "out_of_order_limit"
	HoldLimit          = "hold_limit"
	WaitingLimit       = "waiting_limit"
	PendingLimit       = "pending_limit"
	MailsLimit         = "mails_limit"
	RecipientsLimit    = "recipients_limit"
	ExtensionsLimit    = "extensions_limit"
	AuthLimit          = "auth_limit"
	ExchangeLimit      = "exchange_limit"
	AddressLimit       = "address_limit"
	HeaderLimit        = "header_limit"
	LongLine           = "long_line"
	LongReply          = "long_reply"
	UnknownVerb        = "unknown_verb"
	BadSequence        = "bad_sequence"
	BareLF             = "bare_lf"
	NULByte            = "nul_byte"
	EarlyTalker        = "early_talker"
	UnsolicitedReply   = "unsolicited_reply"
	BadReply           = "bad_reply"
	BadAddress         = "bad_address"
	SourceRoute        = "source_route"
	BadParameter       = "bad_parameter"
	BadBDAT            = "bad_bdat"
	BadAuth            = "bad_auth"
	BadProxy           = "bad_proxy"
	Turned             = "turned"
	Lookalike          = "end_of_data_lookalike"
	Smuggling          = "smuggling"
	StartTLSInjection  = "starttls_injection"
	StartTLSMasked     = "starttls_masked"
	ClearAfterStartTLS = "clear_after_starttls"
	NotSMTP            = "not_smtp"
	TLSOnClearPort     = "tls_on_clear_port"
	ClearOnTLSPort     = "clear_on_tls_port"
	BadTLS             = "bad_tls"
	TLSLimit           = "tls_limit"
	TLSWaitingLimit    = "tls_waiting_limit"
	Resync             = "resync"
)

// AnomalyKind is one row of the table of anomalies.
type AnomalyKind struct {
	Name    string
	Meaning string // one sentence
	Source  string // RFC and section, the attack, or the limit
	Example string
}

// AnomalyTable lists every kind of anomaly; docs/anomalies.md shows the same.
var AnomalyTable = [...]AnomalyKind{
	{ClientGap, "Octets from the client were acknowledged by the server but never seen here.", "capture loss", "the mirror port dropped the packet with RCPT; the server's next ACK covers it"},
	{ServerGap, "Octets from the server were acknowledged by the client but never seen here.", "capture loss", "the packet with 354 is missing"},
	{Midstream, "The connection was met after its start.", "capture start", "mailtap was started while the mail was under way"},
	{OneWay, "One direction of the connection was never seen.", "asymmetric routing", "the tap sees one link of two"},
	{BadChecksum, "A segment with a wrong checksum, in a direction whose checksums are right: its receiver dropped it, and so do we.", "RFC 9293, 3.1; TCP evasion", "a forged RSET that only the sensor is meant to read"},
	{OddTTL, "A segment with another TTL than its direction has; it counts only if its receiver took it.", "TCP evasion", "a forged RSET with TTL 3, which ends before the server"},
	{OverlapConflict, "Two copies of the same octets differ.", "TCP evasion", "RCPT TO:<bob@…>, then the same sequence numbers with RCPT TO:<eve@…>"},
	{ResetOutOfPlace, "A RST does not stand where the receiver would take it, or was followed by the dialog as if it were not there; it was left out.", "RFC 5961, 3.2", "a RST with a sequence number far ahead, and the dialog goes on"},
	{OutOfOrderLimit, "More early octets than the limit: a hole was given up.", "limits.out_of_order", "a hole that stays while megabytes arrive behind it"},
	{HoldLimit, "More segments waited for the other direction than the limit.", "limits.held_segments", "the server's link is delayed by seconds"},
	{WaitingLimit, "More octets waited for the server's decision than the limit: acceptance was assumed.", "limits.waiting", "a megabyte behind a DATA that was not answered"},
	{PendingLimit, "More commands waited for a reply than the limit; the oldest were left unanswered.", "limits.pending", "NOOP 5,000 times without reading a reply"},
	{MailsLimit, "More mails in one session than its record keeps; all are written as mail records.", "limits.mails, limits.mails_size", "1,001 mails in one connection"},
	{RecipientsLimit, "More recipients of one mail than a record keeps.", "limits.recipients", "2,001 RCPT for one mail"},
	{ExtensionsLimit, "More EHLO keywords than a record keeps.", "limits.extensions", "an EHLO reply of 101 lines"},
	{AuthLimit, "More AUTH attempts in one session than its record keeps; all are written as auth records.", "limits.auths", "1,001 passwords in one connection"},
	{ExchangeLimit, "More lines of the client in one AUTH exchange than are read.", "limits.exchange", "AUTH answered by 17 lines"},
	{AddressLimit, "An address above 1,024 octets; its rest was left out.", "RFC 5321, 4.5.3.1.3", "MAIL FROM:<aaaa… of 2,000 octets>"},
	{HeaderLimit, "A message header above the limit; its further fields were left out.", "limits.header", "one header field of 400 kB"},
	{"duplicate_header", "A header field that must be unique came more often; the first counts.", "RFC 5322, 3.6", "two From fields"},
	{"header_controls", "A NUL or a CR that ends no line in a header field; some readers cut there.", "RFC 5322, 2.2; filter evasion", "`Content-Type: text/plain\\x00; name=a.exe`"},
	{"mime_header_limit", "The header of a part above the limit.", "decode/mail, MaxPartHeader", "a Content-Type of 20 kB"},
	{"mime_depth_limit", "More parts within parts than are read.", "limits.depth", "21 multiparts in each other"},
	{"mime_parts_limit", "More parts than are read.", "limits.parts", "1,001 parts"},
	{"mime_attachments_limit", "More attachments than a record keeps.", "limits.attachments", "101 files"},
	{"mime_name_limit", "A file name above the limit; it was cut.", "limits.file_name", "a name of 8,192 letters"},
	{"mime_name_controls", "A file name with control characters, or one that turns the direction of writing.", "name spoofing", "`invoice\\u202efdp.exe`"},
	{"mime_entries_limit", "More names in an archive than a record keeps.", "limits.archive_names", "a ZIP of 101 files"},
	{"mime_recipients_limit", "More recipients in a delivery report than a record keeps.", "RFC 3464", "101 bounced recipients"},
	{"mime_duplicate_field", "Two Content-Type, Content-Disposition or Content-Transfer-Encoding in one header; the first counts.", "RFC 2045, 3; filter evasion", "base64 and 7bit"},
	{"mime_duplicate_parameter", "A parameter with two values; the first counts.", "RFC 2045, 5.1; filter evasion", "name=a.txt; name=a.exe"},
	{"mime_conflicting_boundary", "Two boundaries for one multipart, or one for two.", "RFC 2046, 5.1.1; filter evasion", "boundary=a; boundary=b"},
	{"mime_missing_boundary", "A multipart that cannot be cut into parts.", "RFC 2046, 5.1.1", "multipart/mixed without boundary"},
	{"mime_unclosed", "A multipart without its last delimiter.", "RFC 2046, 5.1.1", "the mail ends inside a part"},
	{"mime_bad_encoding", "Octets that the declared encoding does not have; they were left out.", "RFC 2045, 6", "umlauts inside base64"},
	{"mime_bad_header", "A header of a part, or of a message of parts, that ends with a line which is no field; some readers go on behind it.", "RFC 2045, 3; filter evasion", "a line of prose above Content-Transfer-Encoding"},
	{"mime_conflicting_name", "Names for one part with other extensions; records show the first.", "RFC 2183, 2.3; filter evasion", "name=a.exe beside filename=a.txt"},
	{"mime_bad_archive", "A ZIP archive without its directory, or with an entry longer than itself.", "APPNOTE.TXT, 4.3; filter evasion", "a length that leads past the entries behind"},
	{"mime_unknown_encoding", "A Content-Transfer-Encoding that is not known.", "RFC 2045, 6.1", "x-secret"},
	{LongLine, "A command line above the limit; its rest was left out.", "RFC 5321, 4.5.3.1.4", "NOOP and 70,000 octets"},
	{LongReply, "A reply above the limit; its rest was left out.", "RFC 5321, 4.5.3.1.5", "250- a thousand times"},
	{UnknownVerb, "A command that no standard names.", "RFC 5321, 4.1.1", "DEBUG"},
	{BadSequence, "A command that the server answered 503: it was out of order.", "RFC 5321, 4.1.4", "DATA without RCPT, answered 503"},
	{BareLF, "Command lines end with a bare LF.", "RFC 5321, 2.3.8", "`EHLO a\\n`"},
	{NULByte, "A NUL octet in a command.", "RFC 5321, 4.1.1", "`NOOP \\x00`"},
	{EarlyTalker, "The client talked before the server's greeting.", "RFC 5321, 3.1", "EHLO before 220"},
	{UnsolicitedReply, "A reply that answers no command (a 421 apart).", "RFC 5321, 4.2", "250 without a command"},
	{BadReply, "A server's line that is no reply.", "RFC 5321, 4.2", "`hello there`"},
	{BadAddress, "An address without its brackets, with one of them, or with octets behind them.", "RFC 5321, 4.1.2", "MAIL FROM:a@b.example"},
	{SourceRoute, "An address with a route before the mailbox.", "RFC 5321, appendix C", "RCPT TO:<@relay.example:a@b.example>"},
	{BadParameter, "A parameter of MAIL or RCPT whose value cannot be read.", "RFC 5321, 4.1.1.11", "MAIL FROM:<a@b> SIZE=-5"},
	{BadBDAT, "A BDAT without a size, or with an impossible one.", "RFC 3030, 2", "BDAT -1 LAST"},
	{BadAuth, "An AUTH exchange that cannot be decoded.", "RFC 4954, 4", "AUTH PLAIN !!!!"},
	{BadProxy, "Octets that begin like a PROXY header and are none.", "HAProxy, The PROXY protocol", "PROXY TCP4 and no addresses"},
	{Turned, "Client and server changed roles.", "RFC 2645, 4", "ATRN answered 250; the server says EHLO next"},
	{Lookalike, "An end of data in the message that only a lenient server takes for one.", "SMTP smuggling; RFC 5321, 4.1.1.4", "`\\n.\\n` inside a message"},
	{Smuggling, "Commands stand behind an end-of-data look-alike inside a message.", "SMTP smuggling (CVE-2023-51764 and others)", "`\\n.\\nMAIL FROM:<admin@…>` inside a message"},
	{StartTLSInjection, "Commands in clear were sent behind STARTTLS before its reply.", "RFC 3207, 4.2; CVE-2011-0411", "STARTTLS and RSET in one packet"},
	{StartTLSMasked, "The EHLO reply shows a masked keyword where STARTTLS would stand.", "STARTTLS stripping; RFC 3207, 6", "250-XXXXXXXA"},
	{ClearAfterStartTLS, "The dialog goes on in clear although STARTTLS was accepted: a device between ends TLS, or fakes it.", "RFC 3207, 4", "220 to STARTTLS, then EHLO in clear that is answered"},
	{NotSMTP, "Another protocol on a mail port.", "-", "GET / HTTP/1.1"},
	{TLSOnClearPort, "TLS from the first octet on a port that begins in clear.", "RFC 8314, 3", "a ClientHello on port 25"},
	{ClearOnTLSPort, "SMTP in clear on a port that begins with TLS.", "RFC 8314, 3", "220 on port 465"},
	{BadTLS, "Octets that are no TLS where TLS must stand.", "RFC 8446, 5.1", "text between two TLS records"},
	{TLSLimit, "A handshake message, a certificate or a list in a hello above its limit; it was left out.", "RFC 8446, 4", "a certificate of 100 kB"},
	{TLSWaitingLimit, "More encrypted octets waited for their secrets than are kept; what came later stays unread.", "tls.keylog", "the key log is written after the mail"},
	{Resync, "The place in the dialog was lost and found again.", "capture loss", "a command was lost; the next reply told the place"},
}
