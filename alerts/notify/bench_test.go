package notify_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

type swallow struct{ name string }

func (s swallow) Name() string                               { return s.name }
func (s swallow) Send(context.Context, []alerts.Alert) error { return nil }

// BenchmarkAlert is what the engine's goroutine pays for an alert to two
// receivers; p99 is of single calls, with the store written beside them.
func BenchmarkAlert(b *testing.B) {
	for _, dir := range []string{"", b.TempDir()} {
		name := "memory"
		if dir != "" {
			name = "outbox"
		}
		b.Run(name, func(b *testing.B) {
			n, err := notify.New(everything(swallow{"a"}, swallow{"b"}), notify.Options{Dir: dir})
			if err != nil {
				b.Fatal(err)
			}
			list := make([]alerts.Alert, 1000)
			for i := range list {
				list[i] = sample(i, alerts.Firing)
				for s := range alerts.MaxSessions {
					list[i].Sessions = append(list[i].Sessions, fmt.Sprintf("%016x", s))
				}
			}
			var took []time.Duration
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				at := time.Now()
				n.Alert(list[i%len(list)])
				took = append(took, time.Since(at))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
			if err := n.Close(context.Background()); err != nil {
				b.Fatal(err)
			}
		})
	}
}
