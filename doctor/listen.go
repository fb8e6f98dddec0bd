package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/mailtap/mailtap/capture"
)

// Listen takes what an interface brings for some time, TCP of every port, and
// judges it. ports are those of mail.
func Listen(ctx context.Context, o capture.LiveOptions, ports []uint16, span time.Duration) []Finding {
	name := o.Interface
	o.Ports = nil
	l, err := capture.OpenLive(o)
	if err != nil {
		return []Finding{notHeard(name, err)}
	}
	defer l.Close()
	t := newTraffic(ports)
	d, _ := findDevice(name)
	before := lossesOf(d)
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	begin := time.Now()
	batch := make([]capture.Packet, 256)
	for ctx.Err() == nil {
		n, err := l.NextBatch(batch)
		t.take(batch[:n])
		if err != nil && !errors.Is(err, capture.ErrTimeout) {
			return []Finding{notHeard(name, err)}
		}
	}
	t.end(time.Now())
	t.span = time.Since(begin).Round(time.Second / 10)
	if _, kernel, device, err := l.Stats(); err == nil {
		t.droppedKernel, t.droppedDevice = kernel, device
	}
	after := lossesOf(d)
	if t.frames = after.received - before.received; after.received < before.received || !after.known {
		t.frames = 0
	}
	return t.judge(name)
}

func notHeard(name string, err error) Finding {
	f := ok("traffic", name, "not listened: %s", err)
	return f.as(Problem, "what comes is not known", "see the checks of privilege and interface above")
}
