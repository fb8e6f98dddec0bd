package alerts

import (
	"testing"
	"time"
)

// While an alert fires, each notice says when the next one has come at the
// latest; none comes later.
func TestNoticesSayUntilWhen(t *testing.T) {
	e, b := engine(t, load(t, countRule), Options{})
	c := conn("192.0.2.1", "10.20.0.25:25")
	for s := 0.0; s < 3600; s += 60 {
		e.Handle(denied(c, s, "bob"))
		e.Advance(at(s))
	}
	e.Advance(at(7200))
	if len(b.alerts) < 5 {
		t.Fatalf("%q", b.lines)
	}
	for i, a := range b.alerts[:len(b.alerts)-1] {
		if want := a.Time.Add(10*time.Minute + 150*time.Second + noticeSlack); !a.Until.Equal(want) || !b.alerts[i+1].Time.Before(a.Until) {
			t.Errorf("%s: until %s, want %s", b.lines[i], a.Until, want)
		}
	}
	if last := b.alerts[len(b.alerts)-1]; last.Status != Resolved || !last.Until.IsZero() {
		t.Errorf("%+v", last)
	}
}
