package capture_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/mailtap/mailtap/capture"
)

// flood is many sends in one system call (sendmmsg(2)).
type flood struct {
	fd    int
	heads []struct {
		head unix.Msghdr
		sent uint32
		_    uint32
	}
}

func newFlood(t testing.TB, name, frame string) *flood {
	t.Helper()
	f := &flood{fd: newSender(t, name).fd}
	if err := unix.SetsockoptInt(f.fd, unix.SOL_PACKET, 20 /* PACKET_QDISC_BYPASS */, 1); err != nil {
		t.Fatal(err)
	}
	data := []byte(frame)
	vector := &unix.Iovec{Base: &data[0]}
	vector.SetLen(len(data))
	f.heads = make([]struct {
		head unix.Msghdr
		sent uint32
		_    uint32
	}, 64)
	for i := range f.heads {
		f.heads[i].head.Iov = vector
		f.heads[i].head.SetIovlen(1)
	}
	return f
}

// run sends n frames.
func (f *flood) run(n int) error {
	for n > 0 {
		sent, _, err := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(f.fd), uintptr(unsafe.Pointer(&f.heads[0])), uintptr(min(n, len(f.heads))), 0, 0, 0)
		if err != 0 && err != unix.ENOBUFS && err != unix.EINTR {
			return err
		}
		if err == 0 {
			n -= int(sent)
		}
	}
	return nil
}

// threadTime is the processor time of this thread.
func threadTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkLive floods one end of a pair of interfaces and reads the other: how
// many came in a second, how many were dropped, what the reader's thread spent
// on each.
//
//	go test -run '^$' -bench Live -benchtime 2000000x ./capture
func BenchmarkLive(b *testing.B) {
	for _, size := range []int{0, 1300} {
		for _, m := range []capture.Method{capture.MethodRing, capture.MethodPcap} {
			b.Run(fmt.Sprintf("%d/%s", 54+size, m), func(b *testing.B) { benchmarkLive(b, m, size) })
		}
	}
}

func benchmarkLive(b *testing.B, m capture.Method, size int) {
	namespace(b)
	l := openLive(b, capture.LiveOptions{Interface: "rx0", Method: m, BufferBytes: 64 << 20, PollTimeout: 100 * time.Millisecond})
	f := newFlood(b, "tx0", macs+over4(reset(40000, livePort)+strings.Repeat("a", size)))
	batch := make([]capture.Packet, 512)
	b.ResetTimer()
	sent := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		sent <- f.run(b.N)
	}()
	before, came, octets, idle := threadTime(b), 0, 0, 0
	begin := time.Now()
	last := begin
	for idle < 3 && came < b.N {
		n, err := l.NextBatch(batch)
		if err != nil {
			idle++
			continue
		}
		idle, last = 0, time.Now()
		for i := range batch[:n] {
			octets += len(batch[i].Data)
		}
		came += n
	}
	spent := threadTime(b) - before
	b.StopTimer()
	if err := <-sent; err != nil {
		b.Fatal(err)
	}
	_, dropped, _, err := l.Stats()
	if err != nil || came+int(dropped) != b.N {
		b.Errorf("%d came, %d dropped of %d, %v", came, dropped, b.N, err)
	}
	b.ReportMetric(float64(came)/last.Sub(begin).Seconds(), "packets/s")
	b.ReportMetric(float64(dropped), "dropped")
	b.ReportMetric(float64(spent.Nanoseconds())/float64(max(came, 1)), "cpu-ns/packet")
	b.SetBytes(int64(octets / max(came, 1)))
}
