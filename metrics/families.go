package metrics

import (
	"slices"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Bucket bounds of the classic histograms. Delays reach up to the five minutes
// that RFC 5321, 4.5.3.2, lets a client wait.
var (
	delayBuckets     = []float64{.001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 300}
	durationBuckets  = []float64{.01, .1, .5, 1, 5, 10, 30, 60, 300, 600, 1800}
	sizeBuckets      = []float64{1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20}
	recipientBuckets = []float64{1, 2, 5, 10, 20, 50, 100, 500, 1000}
	// The way of a mail takes seconds where nothing is wrong, days where a queue retries.
	hopBuckets      = []float64{1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 48 * 3600, 5 * 24 * 3600}
	deliveryBuckets = []float64{10, 60, 300, 600, 1800, 3600, 2 * 3600, 4 * 3600, 12 * 3600, 24 * 3600, 48 * 3600, 5 * 24 * 3600}
)

func (m *Metrics) defineCapture(o Options) {
	m.source = newSet("source", o.Sources...)
	m.dropReason = newSet("reason", "kernel", "interface", "queue")
	m.ignoredReason = newSet("reason", o.Ignored...)
	m.streamState = newSet("state", "opening", "established", "closing")
	m.evictReason = newSet("reason", "memory", "idle", "table", "backlog")

	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "build_info", Help: "Version of mailtap; always 1."}, []string{"version", "revision", "goversion"})
	m.reg.MustRegister(build)
	build.WithLabelValues(o.Version, o.Revision, o.GoVersion).Set(1)
	m.note("gauge", "build_info", "Version of mailtap; always 1.", []string{"version", "revision", "goversion"})

	m.packets = m.totals("counter", "capture_packets_total", "Packets that a source handed over.", m.source)
	m.octets = m.totals("counter", "capture_bytes_total", "Captured octets that a source handed over.", m.source)
	m.captureDropped = m.totals("counter", "capture_dropped_total", "Packets that were never seen because the kernel, the interface or a queue dropped them.", m.source, m.dropReason)
	m.ignored = m.totals("counter", "capture_ignored_total", "Packets that were seen and left out, by reason.", m.ignoredReason)
	m.lag = m.gauge("capture_lag_seconds", "Now less the time of the newest packet, in a live capture.", m.source)
	m.connections = m.totals("gauge", "stream_connections", "Connections tracked now.", m.streamState)
	m.memory = m.totals("gauge", "stream_memory_bytes", "Early octets held now until a hole before them is filled.")
	m.gaps = m.totals("counter", "stream_gaps_total", "Holes in reassembled streams.")
	m.lost = m.totals("counter", "stream_lost_bytes_total", "Octets in those holes.")
	m.retransmitted = m.totals("counter", "stream_retransmitted_bytes_total", "Octets that were sent again.")
	m.overlaps = m.totals("counter", "stream_overlaps_total", "Segments that differ from octets seen before at the same place.")
	m.evicted = m.totals("counter", "stream_evicted_total", "Connections left out because a limit was reached.", m.evictReason)
}

func (m *Metrics) defineSessions() {
	m.attempts = m.counter("connection_attempts_total", "Attempts to connect, by how they ended.", m.role, m.server, m.attempt)
	m.sessions = m.counter("sessions_total", "Sessions that ended, by how.", m.role, m.direction, m.server, m.end)
	m.opened = make([]atomic.Int64, len(m.role.names))
	for i, role := range m.role.names {
		m.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: prefix + "sessions_open", Help: "Sessions open now.", ConstLabels: prometheus.Labels{"role": role},
		}, func() float64 { return float64(m.opened[i].Load()) }))
	}
	m.note("gauge", "sessions_open", "Sessions open now.", []string{"role"})
	m.sessionDuration = m.histogram("session_duration_seconds", "First to last packet of a session.", durationBuckets, m.role)
	m.bannerDelay = m.histogram("banner_delay_seconds", "The client's first packet to the server's greeting.", delayBuckets, m.role, m.server)
	m.commands = m.counter("commands_total", "Commands, by verb.", m.role, m.verb)
	m.replies = m.lazyCounter("replies_total", "Replies, by the command that they answer; the verb . is the end of a message, other the greeting and what answers no command.", m.role, m.server, m.replyVerb, m.code.set)
	m.refusals = m.counter("refusals_total", "Replies that refused a connection, a greeting, a login, a mail or a recipient, by the reason that they told.", m.role, m.direction, m.server, m.reason)
	m.replyDelay = m.histogram("reply_delay_seconds", "Last octet of a command to the first octet of its reply.", delayBuckets, m.server, m.replyVerb)
	m.anomalies = m.counter("anomalies_total", "What was odd on the wire or reached a limit.", m.anomaly)
}

func (m *Metrics) defineMail() {
	m.auths = m.counter("auth_attempts_total", "AUTH exchanges, by how they ended.", m.role, m.server, m.mechanism, m.encrypted, m.authResult)
	m.exposed = m.counter("credentials_exposed_total", "Reusable secrets that crossed the wire in clear.", m.role, m.server, m.exposing)
	m.messages = m.counter("messages_total", "Mail transactions, by how they ended.", m.role, m.direction, m.server, m.mailResult)
	m.messageBytes = m.histogram("message_bytes", "Size of the contents of messages.", sizeBuckets, m.role, m.direction)
	m.messageRecipients = m.histogram("message_recipients", "Accepted recipients of accepted messages.", recipientBuckets, m.role)
	m.recipients = m.counter("recipients_total", "Recipients, by the reply to RCPT.", m.role, m.direction, m.rcpt)
	m.hopDelay = m.histogram("hop_delay_seconds", "Newest Received or Date header of a message to this hop, as the header has it.", hopBuckets, m.direction)
	m.attachments = m.counter("attachments_total", "Attachments, by the family of their declared media type.", m.mediaType)
	m.reports = m.counter("delivery_reports_total", "Recipients that accepted delivery status notifications are about, by what became of the mail to them.", m.direction, m.action, m.status)
}

func (m *Metrics) defineTLS() {
	m.tlsSessions = m.counter("tls_sessions_total", "Sessions, by what became of encryption.", m.role, m.server, m.tlsMode, m.tlsOutcome)
	m.tlsHandshakes = m.lazyCounter("tls_handshakes_total", "Handshakes, by what was negotiated.", m.tlsVersion, m.tlsCipher)
	m.tlsHandshake = m.histogram("tls_handshake_seconds", "Client hello to the last message of the handshake.", delayBuckets, m.server)
	m.tlsExpiry = m.gauge("tls_certificate_expiry_timestamp_seconds", "End of validity of the newest leaf certificate that a server showed in clear.", m.server)
}

func (m *Metrics) defineOutputs(o Options) {
	m.alerts = m.defineAlerts(o.Rules)
	m.notices = m.defineNotices(o.Receivers, o.NotificationResults)
	m.sink = newSet("sink", append(slices.Clone(o.Sinks), o.LaterSinks...)...).seed(len(o.Sinks))
	m.logResult = newSet("result", "written", "dropped", "retried")
	m.logRecords = m.totals("counter", "log_records_total", "Records, by what a sink did with them.", m.sink, m.logResult)
	m.logQueue = m.totals("gauge", "log_queue", "Records that wait for a sink.", m.sink)
	m.webReason = newSet("reason", o.Refusals...)
	m.webConnections = m.totals("gauge", "web_connections", "Connections to mailtap's own listener that are open now.")
	m.webRefused = m.totals("counter", "web_refused_total", "Connections and requests that mailtap's own listener refused, by the limit or the reason.", m.webReason)
	m.reloadOK = m.gauge("config_last_reload_successful", "1 where the last reload of the configuration succeeded, else 0.")
	m.reloadTime = m.gauge("config_last_reload_success_timestamp_seconds", "Time of the last successful reload.")
}
