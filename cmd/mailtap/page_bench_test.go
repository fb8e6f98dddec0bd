package main

import (
	"math"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	livepage "github.com/mailtap/mailtap/dashboards/page"

	"github.com/mailtap/mailtap/capture"
)

// BenchmarkPage holds the pipeline without a page against one with it, at a rate
// of connections at which one of many is followed (4,000 a second), and with all
// of them followed. They take turns, and the least processor time of each counts:
// other programs can only add to it.
func BenchmarkPage(b *testing.B) {
	file, packets := benchCapture(b, 4000)
	kinds := []struct {
		name string
		page func() *livepage.Page
	}{
		{"without", func() *livepage.Page { return nil }},
		{"with", func() *livepage.Page { return livepage.New(livepage.Options{Roles: []string{"relay"}}) }},
		{"all-followed", func() *livepage.Page {
			return livepage.New(livepage.Options{Roles: []string{"relay"}, Rate: math.MaxInt, Open: math.MaxInt})
		}},
	}
	least := make([]time.Duration, len(kinds))
	for b.Loop() {
		for i, k := range kinds {
			cfg, out := benchOutputs(b)
			if page := k.page(); page != nil {
				out.page, out.follower = page, page
			}
			begin := processorTime(b)
			p := newPipeline(cfg, out, nil, 1)
			readInto(b, file, func(packets []capture.Packet) {
				p.own.reset()
				p.intake.fill(p.own, packets)
				p.ticket(p.own)
				p.carry(p.own)
			})
			p.close()
			if spent := processorTime(b) - begin; least[i] == 0 || spent < least[i] {
				least[i] = spent
			}
		}
	}
	for i, k := range kinds {
		b.ReportMetric(float64(least[i].Nanoseconds())/float64(packets), "ns/packet-"+k.name)
	}
}

func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
