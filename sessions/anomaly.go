package sessions

// Kinds of anomaly: what was odd on the wire or reached a limit. A name is
// part of the records' and metrics' contract.
const (
	ClientGap         = "client_gap"
	ServerGap         = "server_gap"
	Midstream         = "midstream"
	OneWay            = "one_way"
	BadChecksum       = "bad_checksum"
	OverlapConflict   = "overlap_conflict"
	ResetOutOfPlace   = "reset_out_of_place"
	OutOfOrderLimit   = "out_of_order_limit"
	HoldLimit         = "hold_limit"
	WaitingLimit      = "waiting_limit"
	PendingLimit      = "pending_limit"
	MailsLimit        = "mails_limit"
	RecipientsLimit   = "recipients_limit"
	ExtensionsLimit   = "extensions_limit"
	AuthLimit         = "auth_limit"
	HeaderLimit       = "header_limit"
	LongLine          = "long_line"
	LongReply         = "long_reply"
	UnknownVerb       = "unknown_verb"
	BareLF            = "bare_lf"
	NULByte           = "nul_byte"
	EarlyTalker       = "early_talker"
	UnsolicitedReply  = "unsolicited_reply"
	BadReply          = "bad_reply"
	BadBDAT           = "bad_bdat"
	BadAuth           = "bad_auth"
	Lookalike         = "end_of_data_lookalike"
	Smuggling         = "smuggling"
	StartTLSInjection = "starttls_injection"
	StartTLSMasked    = "starttls_masked"
	NotSMTP           = "not_smtp"
	TLSOnClearPort    = "tls_on_clear_port"
	ClearOnTLSPort    = "clear_on_tls_port"
	BadTLS            = "bad_tls"
	Resync            = "resync"
)

// AnomalyKind is one row of the table of anomalies.
type AnomalyKind struct {
	Name    string
	Meaning string // one sentence
	Source  string // RFC and section, or the attack
}

// AnomalyTable lists every kind of anomaly; docs/anomalies.md shows the same.
var AnomalyTable = [...]AnomalyKind{
	{ClientGap, "Octets from the client were acknowledged by the server but never seen here.", "capture loss"},
	{ServerGap, "Octets from the server were acknowledged by the client but never seen here.", "capture loss"},
	{Midstream, "The connection was met after its start.", "capture start"},
	{OneWay, "One direction of the connection was never seen.", "asymmetric routing"},
	{BadChecksum, "A segment with a wrong checksum, in a direction whose checksums are right: its receiver dropped it, and so do we.", "RFC 9293, 3.1; TCP evasion"},
	{OverlapConflict, "Two copies of the same octets differ.", "TCP evasion"},
	{ResetOutOfPlace, "A RST does not stand where the receiver would take it; it was left out.", "RFC 5961, 3.2"},
	{OutOfOrderLimit, "More early octets than the limit: a hole was given up.", "limits.out_of_order"},
	{HoldLimit, "More segments waited for the other direction than the limit.", "limits.held_segments"},
	{WaitingLimit, "More octets waited for the server's decision than the limit: acceptance was assumed.", "limits.waiting"},
	{PendingLimit, "More commands waited for a reply than the limit; the oldest were left unanswered.", "limits.pending"},
	{MailsLimit, "More mails in one session than its record keeps; all are written as mail records.", "limits.mails"},
	{RecipientsLimit, "More recipients of one mail than a record keeps.", "limits.recipients"},
	{ExtensionsLimit, "More EHLO keywords than a record keeps.", "limits.extensions"},
	{AuthLimit, "More AUTH attempts in one session than its record keeps; all are written as auth records.", "limits.auths"},
	{HeaderLimit, "A message header above the limit; its further fields were left out.", "limits.header"},
	{LongLine, "A command line above the limit; its rest was left out.", "RFC 5321, 4.5.3.1.4"},
	{LongReply, "A reply above the limit; its rest was left out.", "RFC 5321, 4.5.3.1.5"},
	{UnknownVerb, "A command that no standard names.", "RFC 5321, 4.1.1"},
	{BareLF, "Command lines end with a bare LF.", "RFC 5321, 2.3.8"},
	{NULByte, "A NUL octet in a command.", "RFC 5321, 4.1.1"},
	{EarlyTalker, "The client talked before the server's greeting.", "RFC 5321, 3.1"},
	{UnsolicitedReply, "A reply that answers no command (a 421 apart).", "RFC 5321, 4.2"},
	{BadReply, "A server's line that is no reply.", "RFC 5321, 4.2"},
	{BadBDAT, "A BDAT without a size, or with an impossible one.", "RFC 3030, 2"},
	{BadAuth, "An AUTH exchange that cannot be decoded.", "RFC 4954, 4"},
	{Lookalike, "An end of data in the message that only a lenient server takes for one.", "SMTP smuggling; RFC 5321, 4.1.1.4"},
	{Smuggling, "Commands stand behind an end-of-data look-alike inside a message.", "SMTP smuggling (CVE-2023-51764 and others)"},
	{StartTLSInjection, "Commands in clear were sent behind STARTTLS before its reply.", "RFC 3207, 4.2; CVE-2011-0411"},
	{StartTLSMasked, "The EHLO reply shows a masked keyword where STARTTLS would stand.", "STARTTLS stripping; RFC 3207, 6"},
	{NotSMTP, "Another protocol on a mail port.", "-"},
	{TLSOnClearPort, "TLS from the first octet on a port that begins in clear.", "RFC 8314, 3"},
	{ClearOnTLSPort, "SMTP in clear on a port that begins with TLS.", "RFC 8314, 3"},
	{BadTLS, "Octets that are no TLS where TLS must stand.", "RFC 8446, 5.1"},
	{Resync, "The place in the dialog was lost and found again.", "capture loss"},
}
