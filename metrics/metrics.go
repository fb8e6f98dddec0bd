package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/sessions"
)

// RuleName is a rule that may fire, with one severity that it may have.
type RuleName struct{ Name, Severity string }

// Options of Metrics: what the configuration names, and so what labels may say.
// The zero value works.
type Options struct {
	Version, Revision, GoVersion string

	Servers    []string // configured names of servers; all others count as other
	MaxServers int      // names beyond this many count as other too; default 200
	Roles      []string // default relay, submission, submissions, lmtp
	Sources    []string // interfaces, or the name for a file that is read
	Ignored    []string // reasons for which capture/packet leaves a packet out, in its order
	Reasons    []Reason // for which servers refuse, tried before the built-in ones
	Top        bool     // show the names that Metrics.Top is given
	Sinks      []string // of records: file, loki
	LaterSinks []string // those that a reload may add
	Receivers  []string // of alerts
	Refusals   []string // why clients of the listener are refused, in the order of Metrics.Web
	Rules      []RuleName
	// NotificationResults names what may become of a notification; default
	// sent, retried, refused, dropped.
	NotificationResults []string
}

func (o Options) withDefaults() Options {
	if o.MaxServers <= 0 {
		o.MaxServers = 200
	}
	o.Servers = o.Servers[:min(len(o.Servers), o.MaxServers)]
	o.Reasons = o.Reasons[:min(len(o.Reasons), MaxReasons)]
	if len(o.Roles) == 0 {
		o.Roles = []string{"relay", "submission", "submissions", "lmtp"}
	}
	if len(o.NotificationResults) == 0 {
		o.NotificationResults = []string{"sent", "retried", "refused", "dropped"}
	}
	return o
}

// sets are the label sets that several families share.
type sets struct {
	role, server, direction        *set
	verb, replyVerb                *set
	commandOf                      []int // index in verb, by index in replyVerb
	code                           *codes
	mechanism, exposing, encrypted *set
	end, attempt                   *set
	authResult, mailResult, rcpt   *set
	tlsMode, tlsOutcome            *set
	tlsVersion, tlsCipher          *set
	anomaly                        *set
	mediaType, action, status      *set
	reasons                        *reasons
	reason                         *set
}

func newSets(o Options) sets {
	s := sets{
		role:       newSet("role", o.Roles...),
		server:     newSet("server", o.Servers...).withOther(),
		direction:  newSet("direction", sessions.Directions[:]...),
		verb:       verbSet(),
		replyVerb:  replyVerbSet(),
		code:       newCodes(),
		mechanism:  newSet("mechanism", mechanisms[:]...).seed(4),
		exposing:   newSet("mechanism", exposing[:]...),
		encrypted:  newSet("encrypted", "false", "true"),
		end:        newSet("end", sessions.Ends[:]...),
		attempt:    newSet("result", "established", "refused", "unanswered"),
		authResult: newSet("result", sessions.AuthSuccess, sessions.AuthFailure, sessions.AuthAborted, sessions.AuthUnknown),
		mailResult: newSet("result", sessions.MailAccepted, sessions.MailRejected, sessions.MailDeferred, sessions.MailAborted, sessions.MailUnknown),
		rcpt:       newSet("result", rcptResults[:]...),
		tlsMode:    newSet("mode", sessions.TLSNone, sessions.TLSStartTLS, sessions.TLSImplicit),
		tlsOutcome: newSet("outcome", sessions.TLSEstablished, sessions.TLSRefused, sessions.TLSFailed, sessions.TLSStripped, sessions.TLSNotOffered, sessions.TLSNotUsed),
		tlsVersion: newSet("version", tlsVersions[:]...),
		tlsCipher:  newSet("cipher", tlsCiphers[:]...),
		anomaly:    anomalySet(),
		mediaType:  newSet("type", mediaTypes[:]...).withOther(),
		action:     newSet("action", reportActions[:]...).seed(1),
		status:     statusSet(),
	}
	s.reasons, s.reason = newReasons(o.Reasons)
	s.commandOf = commandIndexes(s.replyVerb, s.verb)
	return s
}

type (
	counters  = family[prometheus.Counter]
	gauges    = family[prometheus.Gauge]
	published = family[*atomic.Uint64]
)

// Metrics is what a scrape shows. Its methods may be called by several
// goroutines at once; events are counted by a Shard for each goroutine that has
// some.
type Metrics struct {
	sets
	definer
	opened []atomic.Int64 // sessions_open, by role

	attempts, sessions                                 *counters
	sessionDuration, bannerDelay                       *histograms
	commands, replies, refusals                        *counters
	replyDelay                                         *histograms
	auths, exposed                                     *counters
	messages                                           *counters
	messageBytes, messageRecipients                    *histograms
	recipients, attachments, reports                   *counters
	hopDelay                                           *histograms
	tlsSessions, tlsHandshakes                         *counters
	tlsHandshake                                       *histograms
	tlsExpiry                                          *gauges
	anomalies                                          *counters
	packets, octets, captureDropped, ignored           *published
	lag                                                *gauges
	connections, memory                                *published
	gaps, lost, retransmitted, overlaps, evicted       *published
	logRecords, logQueue                               *published
	webConnections, webRefused                         *published
	reloadOK, reloadTime                               *gauges
	deferred, deferredAge, deferredForgotten           *published
	deferredOldest                                     *gauges
	retries                                            *counters
	deliveryDelay                                      *histograms
	age, outcome, forgotten                            *set
	top                                                *topMessages // nil: not wanted
	alerts                                             *alertFamilies
	notices                                            *noticeFamilies
	source, dropReason, streamState, evictReason, sink *set
	ignoredReason, logResult, webReason                *set
	storageErrors, storageDamaged, clockSteps          *counters
	storageFailing, sourceUp                           *gauges
	evidenceFiles                                      *published
	store, clock, evidenceResult                       *set
}

// New defines all metrics in reg and seeds them. It panics where reg has one of
// them already, which is a mistake of the program.
func New(reg prometheus.Registerer, o Options) *Metrics {
	o = o.withDefaults()
	m := &Metrics{sets: newSets(o), definer: definer{reg: reg}}
	m.defineCapture(o)
	m.defineSessions()
	m.defineMail()
	m.defineDeferred()
	m.defineTLS()
	m.defineOutputs(o)
	m.defineSurvival()
	if o.Top {
		m.top = m.defineTop()
	}
	return m
}

// Families lists every metric in the order of its definition.
func (m *Metrics) Families() []Family { return m.families }
