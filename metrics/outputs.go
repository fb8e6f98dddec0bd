package metrics

import (
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// severities are the levels that a rule may have.
var severities = []string{"info", "warning", "critical"}

// alertFamilies count by rule. Rules may change with a reload, and alerts are
// rare: a lock and a lookup are no matter here.
type alertFamilies struct {
	mu     sync.Mutex
	known  map[RuleName]bool
	firing map[RuleName]int
	total  *prometheus.CounterVec
	now    *prometheus.GaugeVec
}

func (m *Metrics) defineAlerts(rules []RuleName) *alertFamilies {
	labels := []string{"rule", "severity"}
	a := &alertFamilies{
		known: map[RuleName]bool{}, firing: map[RuleName]int{},
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "alerts_total", Help: "Alerts that fired."}, labels),
		now:   prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "alerts_firing", Help: "Alerts that fire now."}, labels),
	}
	m.reg.MustRegister(a.total, a.now)
	m.note("counter", "alerts_total", "Alerts that fired.", labels)
	m.note("gauge", "alerts_firing", "Alerts that fire now.", labels)
	a.know(rules)
	return a
}

func (a *alertFamilies) know(rules []RuleName) {
	for _, r := range rules {
		a.known[r] = true
		a.total.WithLabelValues(r.Name, r.Severity)
		a.now.WithLabelValues(r.Name, r.Severity)
	}
}

// name keeps the label set closed.
func (a *alertFamilies) name(rule, severity string) RuleName {
	r := RuleName{rule, severity}
	if a.known[r] {
		return r
	}
	if !slices.Contains(severities, severity) {
		severity = other
	}
	return RuleName{other, severity}
}

// SetRules tells which rules there are after a reload. Those that were known
// before keep their counts.
func (m *Metrics) SetRules(rules []RuleName) {
	m.alerts.mu.Lock()
	defer m.alerts.mu.Unlock()
	m.alerts.know(rules)
}

// Alert counts one that began to fire (status firing) or was resolved. A
// repetition of one that fires already is not to be counted again.
func (m *Metrics) Alert(rule, severity, status string) {
	a := m.alerts
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.name(rule, severity)
	switch {
	case status == "firing":
		a.firing[r]++
		a.total.WithLabelValues(r.Name, r.Severity).Inc()
	case a.firing[r] > 0:
		a.firing[r]--
	}
	a.now.WithLabelValues(r.Name, r.Severity).Set(float64(a.firing[r]))
}

// Raised counts an alert that began to fire, where AlertsFiring tells how many do.
func (m *Metrics) Raised(rule, severity string) {
	a := m.alerts
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.name(rule, severity)
	a.total.WithLabelValues(r.Name, r.Severity).Inc()
}

// AlertsFiring sets how many alerts of a rule fire, after a restart brought
// them back.
func (m *Metrics) AlertsFiring(rule, severity string, n int) {
	a := m.alerts
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.name(rule, severity)
	a.firing[r] = max(0, n)
	a.now.WithLabelValues(r.Name, r.Severity).Set(float64(a.firing[r]))
}

// noticeFamilies count by receiver.
type noticeFamilies struct {
	mu      sync.Mutex
	known   map[string]bool
	results []string
	total   *prometheus.CounterVec
	queue   *prometheus.GaugeVec
}

func (m *Metrics) defineNotices(receivers, results []string) *noticeFamilies {
	n := &noticeFamilies{
		known: map[string]bool{}, results: results,
		total: prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + "notifications_total", Help: "Notifications, by what became of them."}, []string{"receiver", "result"}),
		queue: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: prefix + "notification_queue", Help: "Notifications that wait for a receiver."}, []string{"receiver"}),
	}
	m.reg.MustRegister(n.total, n.queue)
	m.note("counter", "notifications_total", "Notifications, by what became of them.", []string{"receiver", "result"})
	m.note("gauge", "notification_queue", "Notifications that wait for a receiver.", []string{"receiver"})
	n.know(receivers)
	return n
}

func (n *noticeFamilies) know(receivers []string) {
	for _, r := range receivers {
		n.known[r] = true
		for _, result := range n.results {
			n.total.WithLabelValues(r, result)
		}
		n.queue.WithLabelValues(r)
	}
}

func (n *noticeFamilies) name(receiver string) string {
	if n.known[receiver] {
		return receiver
	}
	return other
}

// SetReceivers tells which receivers there are after a reload.
func (m *Metrics) SetReceivers(receivers []string) {
	m.notices.mu.Lock()
	defer m.notices.mu.Unlock()
	m.notices.know(receivers)
}

// Notified counts what became of n notifications. With Queued it makes Metrics
// the observer that package alerts asks for.
func (m *Metrics) Notified(receiver, result string, count int) {
	n := m.notices
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Contains(n.results, result) {
		result = other
	}
	n.total.WithLabelValues(n.name(receiver), result).Add(float64(max(0, count)))
}

// Queued publishes how many notifications wait for a receiver.
func (m *Metrics) Queued(receiver string, waiting int) {
	n := m.notices
	n.mu.Lock()
	defer n.mu.Unlock()
	n.queue.WithLabelValues(n.name(receiver)).Set(float64(waiting))
}
