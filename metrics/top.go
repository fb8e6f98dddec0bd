package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mailtap/mailtap/metrics/top"
)

// topMessages shows the lists of package top as they were told last, all at once.
type topMessages struct {
	desc    *prometheus.Desc
	mu      sync.Mutex
	entries []top.Entry
}

func (m *Metrics) defineTop() *topMessages {
	const help = "Mails of the names that had most in the last whole window, at least so many."
	labels := []string{"list", "name"}
	t := &topMessages{desc: prometheus.NewDesc(prefix+"top_messages", help, labels, nil)}
	m.reg.MustRegister(t)
	m.note("gauge", "top_messages", help, labels)
	return t
}

// Describe implements prometheus.Collector.
func (t *topMessages) Describe(ch chan<- *prometheus.Desc) { ch <- t.desc }

// Collect implements prometheus.Collector.
func (t *topMessages) Collect(ch chan<- prometheus.Metric) {
	t.mu.Lock()
	entries := t.entries
	t.mu.Unlock()
	for _, e := range entries {
		ch <- prometheus.MustNewConstMetric(t.desc, prometheus.GaugeValue, float64(e.Mails), e.List, e.Name)
	}
}

// Top shows lists of names from the wire, which only Options.Top allows. The slice
// is kept.
func (m *Metrics) Top(entries []top.Entry) {
	if m.top == nil {
		return
	}
	m.top.mu.Lock()
	m.top.entries = entries
	m.top.mu.Unlock()
}
