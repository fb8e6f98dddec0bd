package log

import (
	"maps"
	"slices"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// maxAlertSessions is how many session ids an alert's record names.
const maxAlertSessions = 20

// AlertRecord is what an alert's record says. It is a type of its own so that
// this package knows nothing of alerts; cmd/mailtap fills it.
type AlertRecord struct {
	Time             time.Time      // of the firing, packet time
	Conn             *sessions.Conn // nil where no single connection raised it
	Rule             string
	Severity         string    // info, warning, critical
	Status           string    // firing, resolved
	Started, Ended   time.Time // Ended is zero while it fires
	Key              string    // the group, e.g. the client's address
	Value, Threshold float64   // NaN where the rule has none
	Summary          string
	Labels           map[string]string
	Techniques       []string // MITRE ATT&CK ids
	Sessions         []string // ids; the first 20 are written
	Runbook          string
	Learned          string // how an adaptive threshold came about
	Groups           int    // of an alert that stands for a storm: how many groups it holds; else 0
	InhibitedBy      string // the rule whose alert tells it already
	Evidence         string // the file that holds the packets
}

// AppendAlert encodes an alert's record.
func (e Encoder) AppendAlert(b []byte, a *AlertRecord) []byte {
	b = open(b, `{"event":"alert",`)
	b = instant(b, `"time":`, a.Time)
	b = e.appendConn(b, a.Conn)
	b = text(b, `"rule":`, a.Rule)
	b = text(b, `"severity":`, a.Severity)
	b = text(b, `"status":`, a.Status)
	b = instant(b, `"started":`, a.Started)
	b = instant(b, `"ended":`, a.Ended)
	b = text(b, `"key":`, a.Key)
	b = float(b, `"value":`, a.Value)
	b = float(b, `"threshold":`, a.Threshold)
	b = text(b, `"summary":`, a.Summary)
	b = appendLabels(b, a.Labels)
	b = texts(b, `"techniques":`, a.Techniques)
	b = texts(b, `"sessions":`, a.Sessions[:min(len(a.Sessions), maxAlertSessions)])
	b = text(b, `"runbook":`, a.Runbook)
	b = text(b, `"learned":`, a.Learned)
	b = number(b, `"groups":`, int64(a.Groups))
	b = text(b, `"inhibited_by":`, a.InhibitedBy)
	b = text(b, `"evidence":`, a.Evidence)
	return end(b, '}')
}

// appendLabels sorts, so that the same alert gives the same line.
func appendLabels(b []byte, labels map[string]string) []byte {
	if len(labels) == 0 {
		return b
	}
	b = open(b, `"labels":{`)
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		b = appendString(b, name)
		b = append(b, ':')
		b = append(appendString(b, labels[name]), ',')
	}
	return append(end(b, '}'), ',')
}
