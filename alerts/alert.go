package alerts

import (
	"encoding/json"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Severities, from lowest to highest.
const (
	Info     = "info"
	Warning  = "warning"
	Critical = "critical"
)

// Severities lists every severity, lowest first.
var Severities = [...]string{Info, Warning, Critical}

// Status of an alert.
const (
	Firing   = "firing"
	Resolved = "resolved"
)

// MaxSessions is how many session ids an alert names.
const MaxSessions = 20

// Alert is one notice about a group of a rule: that it fires, that it still
// does (Repeat above 0), that it became worse (a higher Severity), or that it
// is over. All times are packet times. It is owned by nobody and never changes.
type Alert struct {
	Time        time.Time `json:"time"` // of this notice
	Rule        string    `json:"rule"`
	Severity    string    `json:"severity"`
	Status      string    `json:"status"`
	Started     time.Time `json:"started"`           // first event that counted
	Ended       time.Time `json:"ended,omitzero"`    // when the window was clean; zero while firing
	Until       time.Time `json:"until,omitzero"`    // while firing: the next notice comes before it; who hears of none may take it for over
	Key         string    `json:"key,omitempty"`     // the group's values, separated by blanks
	Value       float64   `json:"value"`             // what was counted, in the rule's unit
	Threshold   float64   `json:"threshold"`         // what Value was held against
	Learned     string    `json:"learned,omitempty"` // how an adaptive Threshold came about
	Summary     string    `json:"summary"`
	Labels      Labels    `json:"labels,omitempty"`
	Techniques  []string  `json:"techniques,omitempty"` // MITRE ATT&CK ids
	Sessions    []string  `json:"sessions,omitempty"`   // ids, at most MaxSessions
	Runbook     string    `json:"runbook,omitempty"`
	Fingerprint string    `json:"fingerprint"`            // 16 hex digits; the same for every notice about this group
	Repeat      int       `json:"repeat,omitempty"`       // 0 for the first notice, then counts the repeats
	Escalated   bool      `json:"escalated,omitempty"`    // a firing notice only because the severity rose
	Groups      int       `json:"groups,omitempty"`       // of an alert that stands for a storm: how many groups it holds
	InhibitedBy string    `json:"inhibited_by,omitempty"` // the rule whose alert tells it already: for records, not for receivers
	Evidence    string    `json:"evidence,omitempty"`     // the file that holds the packets of Sessions
	Privacy     string    `json:"privacy,omitempty"`      // what is hidden in it; empty: nothing

	shown map[string]Alert // by the name of a mask: what Shown gives
}

// Sink takes alerts. Alert is called by the engine's goroutine and must not block.
type Sink interface{ Alert(Alert) }

// SinkFunc lets a function be a Sink.
type SinkFunc func(Alert)

// Alert calls f.
func (f SinkFunc) Alert(a Alert) { f(a) }

// Label is one name and its value.
type Label struct{ Name, Value string }

// Labels are sorted by name; JSON shows them as an object.
type Labels []Label

// MarshalJSON writes the labels as an object in their order.
func (l Labels) MarshalJSON() ([]byte, error) {
	out := []byte{'{'}
	for i, x := range l {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(x.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(x.Value)
		if err != nil {
			return nil, err
		}
		out = append(append(append(out, name...), ':'), value...)
	}
	return append(out, '}'), nil
}

// UnmarshalJSON reads what MarshalJSON wrote; the labels come sorted by name.
func (l *Labels) UnmarshalJSON(b []byte) error {
	var all map[string]string
	if err := json.Unmarshal(b, &all); err != nil {
		return err
	}
	*l = make(Labels, 0, len(all))
	for name, value := range all {
		*l = append(*l, Label{name, value})
	}
	slices.SortFunc(*l, func(a, b Label) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

// Get returns the value of a label, empty where there is none.
func (l Labels) Get(name string) string {
	for _, x := range l {
		if x.Name == name {
			return x.Value
		}
	}
	return ""
}

// fingerprint names a group of a rule over all its notices and restarts.
func fingerprint(rule string, labels Labels) string {
	h := fnv.New64a()
	h.Write([]byte(rule))
	for _, l := range labels {
		h.Write([]byte{0xff})
		h.Write([]byte(l.Name))
		h.Write([]byte{0xff})
		h.Write([]byte(l.Value))
	}
	s := strconv.FormatUint(h.Sum64(), 16)
	return "0000000000000000"[len(s):] + s
}

// SeverityRank is the place of a severity among Severities, -1 for another word.
func SeverityRank(s string) int {
	for i, x := range Severities {
		if s == x {
			return i
		}
	}
	return -1
}

// Number writes a value as people read it: whole numbers bare, others short.
func Number(v float64) string {
	if v == float64(int64(v)) {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}
