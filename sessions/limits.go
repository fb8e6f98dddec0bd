package sessions

import "github.com/mailtap/mailtap/decode/mail"

// Limit is one row of the table of limits.
type Limit struct {
	Key   string // under limits in the configuration
	Tells string // the anomaly, or the metric, that tells that it was reached
	Does  string // what is done then
}

// LimitTable lists every limit of the configuration; docs/limits.md shows the
// same.
var LimitTable = [...]Limit{
	{"connections", "mailtap_stream_evicted_total{reason=\"table\"}", "the connection of the least use ends as `evicted`: unanswered attempts first, the longest idle last"},
	{"out_of_order", OutOfOrderLimit, "the hole is given up: it becomes a gap"},
	{"held_total", OutOfOrderLimit, "as above, in the connections that have the most"},
	{"held_segments", HoldLimit, "what the other direction did not bring by then counts as lost"},
	{"waiting", WaitingLimit, "the server is taken to have accepted; octets above it are lost"},
	{"pending", PendingLimit, "the oldest command stays unanswered"},
	{"mails", MailsLimit, "further mails are in no session record; each has its mail record all the same"},
	{"mails_size", MailsLimit, "as above"},
	{"recipients", RecipientsLimit, "further recipients of the mail are left out"},
	{"extensions", ExtensionsLimit, "further keywords are left out"},
	{"auths", AuthLimit, "further attempts are in no session record; each has its auth record all the same"},
	{"exchange", ExchangeLimit, "further lines are not read"},
	{"line", LongLine, "the rest of the line is left out"},
	{"reply", LongReply, "the rest of the reply is left out"},
	{"header", HeaderLimit, "further fields are left out"},
	{"tls_waiting", TLSWaitingLimit, "what came first is kept; the rest stays unread"},
	{"parts", mail.OddPartsLimit, "the rest of the message counts as octets only"},
	{"depth", mail.OddDepthLimit, "deeper parts are not taken apart"},
	{"attachments", mail.OddAttachmentsLimit, "further files are left out"},
	{"file_name", mail.OddNameLimit, "the name is cut"},
	{"archive_names", mail.OddEntriesLimit, "further names are left out"},
	{"idle_timeout", "end: timeout", "the session ends"},
	{"syn_timeout", "end: unanswered", "the session ends"},
	{"linger_timeout", "-", "late packets of an ended connection are left out for so long"},
}
