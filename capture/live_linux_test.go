package capture_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
)

// Live tests run in a network namespace of their own, which is that of the
// test's thread and ends with it. In it are lo and a pair of interfaces: what
// is sent on tx0 comes in on rx0.

// livePort is one that nothing on a machine uses.
const livePort = 7

const pollTimeout = 20 * time.Millisecond

func namespace(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip: apt-get install iproute2")
	}
	runtime.LockOSThread() // and never back: the thread ends with the test
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		if os.Getenv("MAILTAP_TEST_LIVE_MUST_RUN") != "" {
			t.Fatal(err)
		}
		t.Skipf("needs root, for a network namespace: %v", err)
	}
	ip(t, "link set lo up")
	makePair(t)
}

func makePair(t testing.TB) {
	t.Helper()
	ip(t, "link add tx0 type veth peer name rx0")
	for _, name := range []string{"rx0", "tx0"} { // the second to come up can send at once
		ip(t, "link set "+name+" addrgenmode none") // no IPv6 of the kernel's own
		ip(t, "link set "+name+" up")
	}
}

func ip(t testing.TB, line string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %s", line, out)
	}
}

// ownSysfs shows the interfaces of the namespace in /sys, to this thread.
func ownSysfs(t testing.TB) {
	t.Helper()
	err := unix.Unshare(unix.CLONE_NEWNS)
	if err == nil {
		err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	}
	if err == nil {
		err = unix.Mount("sysfs", "/sys", "sysfs", unix.MS_RDONLY, "")
	}
	if err != nil {
		t.Skipf("needs a file system of its own for the interfaces' counters: %v", err)
	}
}

// sender puts frames on the wire.
type sender struct{ fd int }

func newSender(t testing.TB, name string) *sender {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	request, _ := unix.NewIfreq(name)
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request); err != nil {
		t.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: int(request.Uint32())}); err != nil {
		t.Fatal(err)
	}
	return &sender{fd}
}

func (s *sender) send(t testing.TB, frames ...string) {
	t.Helper()
	for _, f := range frames {
		if _, err := unix.Write(s.fd, []byte(f)); err != nil {
			t.Fatal(err)
		}
	}
}

// methods runs a test with each method that this program was built with.
func methods(t *testing.T, test func(t *testing.T, m capture.Method)) {
	for _, m := range []capture.Method{capture.MethodRing, capture.MethodPcap} {
		t.Run(string(m), func(t *testing.T) {
			namespace(t)
			test(t, m)
		})
	}
}

func openLive(t testing.TB, o capture.LiveOptions) *capture.Live {
	t.Helper()
	if o.Ports == nil {
		o.Ports = []uint16{livePort}
	}
	if o.PollTimeout == 0 {
		o.PollTimeout = pollTimeout
	}
	if o.BufferBytes == 0 {
		o.BufferBytes = 4 << 20
	}
	l, err := capture.OpenLive(o)
	if errors.Is(err, capture.ErrNoLive) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// limit is how long a test waits for what must come.
const limit = 20 * time.Second

// await reads batches until done says so.
func await(t testing.TB, l *capture.Live, what string, done func(batch []capture.Packet) bool) {
	t.Helper()
	batch := make([]capture.Packet, 64)
	for end := time.Now().Add(limit); time.Now().Before(end); {
		n, err := l.NextBatch(batch)
		if err != nil && err != capture.ErrTimeout {
			t.Fatal(err)
		}
		if (n == 0) != (err == capture.ErrTimeout) {
			t.Fatalf("%d packets, %v", n, err)
		}
		if done(batch[:n]) {
			return
		}
	}
	t.Fatalf("not within %v: %s", limit, what)
}

// collect decodes what comes until n segments came.
func collect(t testing.TB, l *capture.Live, n int) map[string]int {
	t.Helper()
	ports := new(packet.PortSet)
	ports.Add(livePort)
	d := packet.Decoder{Ports: ports}
	got := map[string]int{}
	var s packet.Segment
	await(t, l, fmt.Sprint(n, " segments"), func(batch []capture.Packet) bool {
		for i := range batch {
			if age := time.Since(time.Unix(0, batch[i].Time)); age < -time.Minute || age > time.Minute {
				t.Errorf("packet time is %v ago", age)
			}
			if d.Decode(&batch[i], &s) == packet.OK {
				got[fmt.Sprint(s.From().Port(), s.To().Port(), s.From().Addr().Is6(), s.VLANs[:s.VLANCount], s.Tunnels[:s.TunnelCount])]++
				n--
			}
		}
		return n <= 0
	})
	return got
}

// Tags come back where the kernel took them off, tunnels and fragments pass,
// and each packet is there once.
func TestLivePasses(t *testing.T) {
	single := map[string]int{
		"7 40000 false [] []": 1, "40000 7 false [] []": 1, "40000 7 true [] []": 1,
		"40000 7 false [100] []": 1, "7 40000 true [100] []": 1, "40000 7 false [] [gre]": 1, "40000 7 false [100] [vxlan:42]": 1,
		"7 40000 false [9 8] []": 1, // tags that the kernel does not know stay where they are
	}
	double := map[string]int{"40000 7 false [300 100] []": 1, "40000 7 true [300 100] []": 1, "7 40000 false [300 100] []": 1, "40000 7 false [3 2 1] []": 1}
	for k, v := range single {
		double[k] = v
	}
	inner := over4(reset(40000, livePort))
	frames := watched(livePort)
	frames["other port"] = macs + over4(reset(40000, 80))
	frames["gre"] = macs + eth(0x0800, overGRE("\x00\x00"+inner))[12:]
	frames["vxlan behind a tag"] = macs + tagged(0x8100, 100, eth(0x0800, overUDP(4789, vxlanOf(42, macs+inner)))[12:])
	frames["three tags"] = macs + tagged(0x88a8, 3, tagged(0x8100, 2, tagged(0x8100, 1, inner)))
	methods(t, func(t *testing.T, m capture.Method) {
		for _, c := range []struct {
			watch, send string
			want        map[string]int
		}{{"rx0", "tx0", double}, {"tx0", "tx0", nil}, {"lo", "lo", double}, {"any", "lo", single}} {
			l := openLive(t, capture.LiveOptions{Interface: c.watch, Method: m})
			if got, refused := l.Method(); got != m || refused != nil {
				t.Errorf("method %s, %v", got, refused)
			}
			s := newSender(t, c.send)
			for _, f := range frames {
				s.send(t, f)
			}
			if c.want == nil { // tags of what goes out are where they were put
				c.want = double
			}
			got := collect(t, l, sum(c.want))
			if c.watch == "any" && m == capture.MethodRing {
				c.want = double
			} else if c.watch == "any" { // behind two tags the kernel's word for the EtherType is not enough for libpcap
				for k := range got {
					if single[k] == 0 && double[k] != 0 {
						delete(got, k)
					}
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("%s:\ngot  %v\nwant %v", c.watch, got, c.want)
			}
			received, kernel, device, err := l.Stats()
			if err != nil || received < uint64(sum(c.want)) || kernel != 0 || device != 0 {
				t.Errorf("%s: stats %d %d %d %v", c.watch, received, kernel, device, err)
			}
		}
	})
}

func sum(m map[string]int) (n int) {
	for _, v := range m {
		n += v
	}
	return n
}

func TestLiveAuto(t *testing.T) {
	namespace(t)
	l := openLive(t, capture.LiveOptions{Interface: "rx0"})
	if m, refused := l.Method(); m != capture.MethodRing || refused != nil {
		t.Errorf("method %s, %v", m, refused)
	}
	o := capture.LiveOptions{Interface: "rx0", BlockBytes: 1, Method: capture.MethodRing}
	if _, err := capture.OpenLive(o); err == nil {
		t.Error("a ring of blocks of 1 octet")
	}
	o.Method, o.BufferBytes = capture.MethodRing, 1<<40
	if _, err := capture.OpenLive(o); err == nil {
		t.Error("a ring of 1 TiB")
	}
	// A ring that the kernel refuses is no reason to see nothing.
	o.Method, o.BufferBytes = capture.MethodAuto, 1<<20
	if libpcap, err := capture.OpenLive(capture.LiveOptions{Interface: "rx0", Method: capture.MethodPcap, BufferBytes: 1 << 20}); err == nil {
		libpcap.Close()
	} else if errors.Is(err, capture.ErrNoLive) {
		if _, err := capture.OpenLive(o); err == nil || !strings.Contains(err.Error(), "blocks of 1 octets") {
			t.Errorf("without libpcap: %v", err)
		}
		return
	}
	l = openLive(t, o)
	if m, refused := l.Method(); m != capture.MethodPcap || refused == nil {
		t.Errorf("method %s, %v", m, refused)
	}
	newSender(t, "tx0").send(t, macs+over4(reset(40000, livePort)))
	collect(t, l, 1)
}

func TestLiveSnapLength(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m, Snaplen: 96})
		frame := macs + over4(reset(40000, livePort)+strings.Repeat("a", 900))
		tagged := macs + tagged(0x8100, 5, frame[12:])
		newSender(t, "tx0").send(t, frame, tagged)
		want := []string{frame, tagged}
		await(t, l, "two packets", func(batch []capture.Packet) bool {
			for _, p := range batch {
				// The tag comes back beyond the snap length.
				if len(p.Data) < 96 || len(p.Data) > 100 || p.Length != len(want[0]) || string(p.Data) != want[0][:len(p.Data)] {
					t.Errorf("%d octets captured of %d, want 96 of %d", len(p.Data), p.Length, len(want[0]))
				}
				want = want[1:]
			}
			return len(want) == 0
		})
	})
}

func TestLivePromiscuous(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		for _, not := range []bool{true, false} {
			l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m, NoPromiscuous: not})
			out, err := exec.Command("ip", "-d", "link", "show", "rx0").CombinedOutput()
			if err != nil || strings.Contains(string(out), "promiscuity 0") != not {
				t.Errorf("left out %v: %s", not, out)
			}
			l.Close()
		}
	})
}

// numbered is a frame that tells which one it is.
func numbered(n, size int) string {
	return macs + over4(reset(40000, livePort)+fmt.Sprintf("%08d", n)+strings.Repeat("a", size))
}

func number(p *capture.Packet) (n int) {
	fmt.Sscanf(string(p.Data[54:62]), "%d", &n)
	return n
}

// What finds no room while nobody reads is counted, and nothing else is lost.
func TestLiveOverflow(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m, BufferBytes: 512 << 10, BlockBytes: 64 << 10})
		const sent = 3000
		s := newSender(t, "tx0")
		for n := range sent {
			s.send(t, numbered(n, 900))
		}
		_, dropped, _, err := l.Stats()
		if err != nil || dropped == 0 || dropped > sent-100 {
			t.Fatalf("%d dropped, %v", dropped, err)
		}
		came := 0
		await(t, l, "the rest", func(batch []capture.Packet) bool {
			for i := range batch {
				if n := number(&batch[i]); n != came {
					t.Fatalf("packet %d is %d", came, n)
				}
				came++
			}
			return came == sent-int(dropped)
		})
		received, dropped2, _, _ := l.Stats()
		if dropped2 != dropped || m == capture.MethodRing && received != sent {
			t.Errorf("received %d of %d, dropped %d", received, sent, dropped2)
		}
		s.send(t, numbered(came, 900))
		await(t, l, "a packet after that", func(batch []capture.Packet) bool { return len(batch) == 1 })
	})
}

// The network stack throws frames of two tags away and counts them as dropped
// on the interface; they were captured, and are no loss.
func TestLiveNoLoss(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		ownSysfs(t)
		l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m})
		s := newSender(t, "tx0")
		const sent = 500
		for range sent {
			s.send(t, macs+tagged(0x88a8, 3, tagged(0x8100, 2, over4(reset(40000, livePort)))))
		}
		collect(t, l, sent)
		if n, err := os.ReadFile("/sys/class/net/rx0/statistics/rx_packets"); err != nil || strings.TrimSpace(string(n)) != fmt.Sprint(sent) {
			t.Fatalf("the interface counted %s packets, %v", n, err)
		}
		if _, dropped, device, err := l.Stats(); dropped != 0 || device != 0 || err != nil {
			t.Errorf("dropped by kernel %d, by the interface %d, %v", dropped, device, err)
		}
	})
}

// Batches of any size give every packet once and in order, round the ring many
// times, and without an allocation. On a busy machine some find no room, and are counted.
func TestLiveBatches(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m, BufferBytes: 512 << 10, BlockBytes: 64 << 10})
		s := newSender(t, "tx0")
		next, came, dropped, batch := 0, 0, 0, make([]capture.Packet, 7)
		for round := range 40 {
			for n := range 100 {
				s.send(t, numbered(100*round+n, 35*round))
			}
			for end := time.Now().Add(limit); came+dropped < 100*(round+1); {
				n, err := l.NextBatch(batch)
				if err != nil && err != capture.ErrTimeout || time.Now().After(end) {
					t.Fatal(came, dropped, err)
				}
				for i := range batch[:n] {
					got := number(&batch[i])
					if got < next || got >= 100*(round+1) || len(batch[i].Data) != 62+35*(got/100) {
						t.Fatalf("packet %d is %d of %d octets", next, got, len(batch[i].Data))
					}
					next = got + 1
				}
				came += n
				if n == 0 {
					_, kernel, _, _ := l.Stats()
					dropped = int(kernel)
				}
			}
		}
		if came < 2000 {
			t.Errorf("%d came and %d were dropped: too few to tell", came, dropped)
		}
		if m == capture.MethodRing {
			frame := []byte(numbered(0, 0))
			if n := testing.AllocsPerRun(5, func() { unix.Write(s.fd, frame); l.NextBatch(batch) }); n != 0 {
				t.Errorf("%v allocations a batch", n)
			}
		}
	})
}

func TestLiveTimeout(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m})
		batch := make([]capture.Packet, 8)
		begin := time.Now()
		if n, err := l.NextBatch(batch); n != 0 || err != capture.ErrTimeout {
			t.Errorf("a silent port: %d, %v", n, err)
		}
		if took := time.Since(begin); took < pollTimeout/2 || took > limit {
			t.Errorf("it took %v", took)
		}
		n := testing.AllocsPerRun(3, func() { l.NextBatch(batch) })
		if n != 0 && time.Since(begin) < time.Second { // once a second it looks at the interface
			t.Errorf("%v allocations a timeout", n)
		}
	})
}

// Close may come while another goroutine waits.
func TestLiveClose(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		for _, wait := range []time.Duration{200 * time.Millisecond, time.Hour} {
			if m == capture.MethodPcap && wait == time.Hour {
				continue // libpcap cannot be woken
			}
			l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m, PollTimeout: wait})
			ended := make(chan error)
			go func() {
				var err error
				for batch := make([]capture.Packet, 8); err == nil || err == capture.ErrTimeout; {
					_, err = l.NextBatch(batch)
				}
				ended <- err
			}()
			if _, _, _, err := l.Stats(); err != nil {
				t.Error(err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			select {
			case err := <-ended:
				if err.Error() != "EOF" {
					t.Error(err)
				}
			case <-time.After(limit):
				t.Fatal("NextBatch goes on waiting")
			}
			if err := l.Close(); err != nil {
				t.Errorf("a second Close: %v", err)
			}
			if _, _, _, err := l.Stats(); err != nil {
				t.Errorf("Stats after Close: %v", err)
			}
		}
	})
}

// An interface that goes down, and one that is made anew, come back by
// themselves.
func TestLiveComesBack(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m})
		frame := macs + over4(reset(40000, livePort))
		comes := func() {
			t.Helper()
			s := newSender(t, "tx0")
			await(t, l, "packets", func(batch []capture.Packet) bool {
				if len(batch) == 0 && l.Problem() == nil {
					s.send(t, frame)
				}
				return len(batch) > 0
			})
			if p := l.Problem(); p != nil {
				t.Errorf("with packets there is a problem: %v", p)
			}
		}
		away := func(why error) {
			t.Helper()
			await(t, l, why.Error(), func([]capture.Packet) bool { return errors.Is(l.Problem(), why) })
		}
		comes()
		for range 2 {
			ip(t, "link set rx0 down")
			away(capture.ErrDown)
			ip(t, "link set rx0 up")
			comes()
		}
		for _, down := range []bool{false, true} {
			ip(t, "link del rx0")
			away(capture.ErrNoInterface)
			makePair(t)
			if down {
				ip(t, "link set rx0 down")
				if m == capture.MethodRing {
					away(capture.ErrDown)
				}
				ip(t, "link set rx0 up")
			}
			comes()
		}
		if received, _, _, err := l.Stats(); err != nil || received < 5 {
			t.Errorf("%d received over all, %v", received, err)
		}
	})
}

// remake makes the pair anew under the numbers that it had.
func remake(t *testing.T) {
	t.Helper()
	ip(t, "link del rx0")
	ip(t, "link add rx0 index 77 type veth peer name tx0 index 78")
	for _, name := range []string{"rx0", "tx0"} {
		ip(t, "link set "+name+" addrgenmode none")
		ip(t, "link set "+name+" up")
	}
}

// An interface that left and came back under its number before anybody looked is
// another one for the kernel.
func TestLiveComesBackUnderItsNumber(t *testing.T) {
	methods(t, func(t *testing.T, m capture.Method) {
		remake(t)
		l := openLive(t, capture.LiveOptions{Interface: "rx0", Method: m})
		for range 2 {
			remake(t)
			await(t, l, "news of it", func([]capture.Packet) bool { return l.Problem() != nil })
			await(t, l, "it is back", func([]capture.Packet) bool { return l.Problem() == nil })
			newSender(t, "tx0").send(t, macs+over4(reset(40000, livePort)))
			collect(t, l, 1)
		}
		if out, err := exec.Command("ip", "-d", "link", "show", "rx0").CombinedOutput(); err != nil || !strings.Contains(string(out), "promiscuity 1") {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// A silent group of NFLOG is waited for as a silent interface is.
func TestLiveSilentNFLOG(t *testing.T) {
	namespace(t)
	l, err := capture.OpenLive(capture.LiveOptions{Interface: "nflog:5", PollTimeout: pollTimeout})
	if err != nil {
		t.Skip("needs libpcap and a kernel with NFLOG: ", err)
	}
	defer l.Close()
	begin := time.Now()
	for range 20 {
		if n, err := l.NextBatch(make([]capture.Packet, 8)); n != 0 || err != capture.ErrTimeout {
			t.Fatalf("%d, %v", n, err)
		}
	}
	if took := time.Since(begin); took < 20*time.Millisecond {
		t.Errorf("20 times took %v: it spins", took)
	}
	if p := l.Problem(); p != nil {
		t.Error(p)
	}
}

func TestLiveErrors(t *testing.T) {
	for _, m := range []capture.Method{"", capture.MethodRing, capture.MethodPcap} {
		for _, name := range []string{"", "no-such-if0", "a-name-that-no-interface-can-have"} {
			_, err := capture.OpenLive(capture.LiveOptions{Interface: name, Method: m})
			if errors.Is(err, capture.ErrNoLive) {
				continue
			}
			if !errors.Is(err, capture.ErrNoInterface) || !strings.Contains(err.Error(), "there are lo") {
				t.Errorf("%q %q: %v", m, name, err)
			}
		}
	}
	methods(t, func(t *testing.T, m capture.Method) {
		ip(t, "link set rx0 down")
		_, err := capture.OpenLive(capture.LiveOptions{Interface: "rx0", Method: m})
		if !errors.Is(err, capture.ErrDown) || !strings.Contains(err.Error(), "ip link set rx0 up") {
			t.Error(err)
		}
	})
}

func TestInterfaces(t *testing.T) {
	list, err := capture.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]capture.InterfaceInfo{}
	for _, i := range list {
		seen[i.Name] = i
		if !i.Up && !errors.Is(i.Problem, capture.ErrDown) {
			t.Errorf("%s is down, problem: %v", i.Name, i.Problem)
		}
	}
	if lo := seen["lo"]; !lo.Loopback || !lo.Up || len(lo.Addresses) == 0 || lo.Problem != nil && !errors.Is(lo.Problem, capture.ErrPrivilege) {
		t.Errorf("lo: %+v", lo)
	}
	if _, ok := seen["any"]; !ok {
		t.Error("any is missing")
	}
}
