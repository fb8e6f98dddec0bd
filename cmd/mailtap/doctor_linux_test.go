package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/doctor"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// mirror plays mail into the far end of a pair of interfaces, as a mirror port
// does, until the test ends.
type mirror struct {
	port    uint16                       // of the server; 0: 25
	passes  func(s *packet.Segment) bool // nil: all
	doubled bool
	client  int // socket for what clients send; 0: the same
}

// play sends the same mail again and again, each time in a connection of its own.
func (m mirror) play(t *testing.T, namespace string) {
	t.Helper()
	fd := packetSocket(t, namespace, "eth0")
	text := dialogOf(t, "plain.txt", dialog.Options{})
	stop, over := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(stop); <-over; unix.Close(fd) })
	go func() {
		defer close(over)
		frames := newCapture()
		for n := uint16(0); ; n++ {
			for i := range text {
				m.send(fd, frames, text[i], 40000+n%10000)
			}
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
}

func (m mirror) send(fd int, frames *captureOf, s packet.Segment, client uint16) {
	if m.passes != nil && !m.passes(&s) {
		return
	}
	server := m.port
	if server == 0 {
		server = 25
	}
	if fromClient(&s) {
		s.SrcPort, s.DstPort = client, server
	} else {
		s.SrcPort, s.DstPort = server, client
	}
	frame := ether(frames.ipv4(&s))
	if m.client != 0 && s.DstPort == server {
		fd = m.client
	}
	_, _ = unix.Write(fd, frame) // an interface that is down takes none
	if m.doubled {
		_, _ = unix.Write(fd, frame)
	}
}

func fromClient(s *packet.Segment) bool { return s.DstPort == 25 }
func fromServer(s *packet.Segment) bool { return s.SrcPort == 25 }

// packetSocket opens one in another network namespace, from a thread that ends
// with it.
func packetSocket(t *testing.T, namespace, name string) int {
	t.Helper()
	type opened struct {
		fd  int
		err error
	}
	answer := make(chan opened)
	go func() {
		runtime.LockOSThread() // and never back
		fd, err := openPacketSocket(namespace, name)
		answer <- opened{fd, err}
	}()
	o := <-answer
	if o.err != nil {
		t.Fatal(o.err)
	}
	return o.fd
}

func openPacketSocket(namespace, name string) (int, error) {
	ns, err := os.Open(filepath.Join("/var/run/netns", namespace))
	if err != nil {
		return 0, err
	}
	defer ns.Close()
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: int(request.Uint32())})
	}
	return fd, err
}

// examined is what mailtap doctor said.
type examined struct {
	doctor.Report
	t      *testing.T
	status int
}

func examineIn(t *testing.T, prefix []string, args ...string) examined {
	t.Helper()
	c := self("mailtap", prefix, append([]string{"doctor", "--format", "json"}, args...)...)
	var errs strings.Builder
	c.Stderr = &errs
	out, _ := c.Output()
	r := examined{t: t, status: c.ProcessState.ExitCode()}
	if err := json.Unmarshal(out, &r.Report); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs.String())
	}
	return r
}

// says holds one finding against what it must be.
func (r *examined) says(check string, state doctor.State, words string) {
	r.t.Helper()
	for _, f := range r.Findings {
		if f.Check == check && f.State == state && strings.Contains(f.About+": "+f.Found+"; "+f.Means+". "+f.Do, words) {
			return
		}
	}
	var text strings.Builder
	_ = r.Text(&text, false)
	r.t.Errorf("no %s of %s says %q:\n%s", state, check, words, &text)
}

func (r *examined) silent(check string, state doctor.State) {
	r.t.Helper()
	if r.Has(check, state) {
		var text strings.Builder
		_ = r.Text(&text, false)
		r.t.Errorf("%s is a %s:\n%s", check, state, &text)
	}
}

// wire makes two namespaces with a pair of interfaces between them and gives the
// watched one's prefix and the other one's name.
func wire(t *testing.T) (sensor []string, far string) {
	t.Helper()
	if os.Geteuid() != 0 {
		leaveOut(t, "needs root, for network namespaces and the capture: sudo make test")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		leaveOut(t, "needs ip: apt-get install iproute2")
	}
	sensor, client := namespaces(t)
	return sensor, client[len(client)-1]
}

// A mirror that brings everything has no problem; each of the others has its own.
func TestDoctorHearsTheMirror(t *testing.T) {
	sensor, far := wire(t)
	// A busy machine may not get to send for a second: then it is heard again.
	hear := func(t *testing.T, check string, state doctor.State) (r examined) {
		within(40*time.Second, func() bool {
			r = examineIn(t, sensor, "--interface", watched, "--listen", "1s")
			return r.Has(check, state)
		})
		return r
	}
	t.Run("nothing", func(t *testing.T) {
		r := hear(t, "traffic", doctor.Problem)
		r.says("interface", doctor.OK, "up, carrier")
		r.says("privilege", doctor.OK, "cap_net_raw")
		if r.says("traffic", doctor.Problem, watched); r.status != exitFailed {
			t.Errorf("status %d with a problem", r.status)
		}
	})
	t.Run("healthy", func(t *testing.T) {
		mirror{}.play(t, far)
		r := hear(t, "traffic", doctor.OK)
		r.says("traffic", doctor.OK, "packets of mail in 1")
		r.says("directions", doctor.OK, "both directions")
		r.says("loss", doctor.OK, "no hole")
		r.silent("duplicates", doctor.Note)
		r.silent("times", doctor.Problem)
		if r.status != exitDone {
			t.Errorf("status %d, %d problems", r.status, r.Problems)
		}
	})
	t.Run("clients only", func(t *testing.T) {
		mirror{passes: fromClient}.play(t, far)
		r := hear(t, "directions", doctor.Problem)
		r.says("directions", doctor.Problem, "what servers say")
	})
	t.Run("servers only", func(t *testing.T) {
		mirror{passes: fromServer}.play(t, far)
		r := hear(t, "directions", doctor.Problem)
		r.says("directions", doctor.Problem, "what clients say")
	})
	t.Run("twice", func(t *testing.T) {
		mirror{doubled: true}.play(t, far)
		r := hear(t, "duplicates", doctor.Note)
		r.says("duplicates", doctor.Note, "came twice")
		r.says("directions", doctor.OK, "both directions")
	})
	t.Run("no mail", func(t *testing.T) {
		mirror{port: 80}.play(t, far)
		r := hear(t, "traffic", doctor.Problem)
		r.says("traffic", doctor.Problem, "none of a mail port")
	})
	t.Run("holes", func(t *testing.T) {
		n := 0
		mirror{passes: func(s *packet.Segment) bool {
			if fromServer(s) && len(s.Payload) > 0 {
				n++
				return n%5 != 0
			}
			return true
		}}.play(t, far)
		r := hear(t, "loss", doctor.Problem)
		r.says("loss", doctor.Problem, "the mirror loses packets")
	})
	t.Run("cut", func(t *testing.T) {
		mirror{}.play(t, far)
		r := examineIn(t, sensor, "--interface", watched, "--listen", "1s", "--capture.snap_length", "96")
		r.says("truncated", doctor.Problem, "capture.snap_length")
	})
}

// Where a mailtap runs, its counters tell, and nothing else listens.
func TestDoctorReadsTheMailtapThatRuns(t *testing.T) {
	sensor, far := wire(t)
	tap := start(t, self("mailtap", sensor, "run", "--interface", watched, "--log.records.file", "/dev/null"))
	await(t, tap, sensor, "http://"+page+"/-/ready")
	r := examineIn(t, sensor, "--interface", watched, "--listen", "1s")
	r.says("running", doctor.OK, "its counters are read")
	r.says("traffic", doctor.Problem, "nothing of mail is mirrored")
	mirror{passes: fromClient}.play(t, far)
	var last examined
	if !within(40*time.Second, func() bool {
		last = examineIn(t, sensor, "--interface", watched, "--listen", "1s")
		return last.Has("traffic", doctor.OK) && last.Has("sessions", doctor.Problem)
	}) {
		last.says("traffic", doctor.OK, "packets")
		last.says("sessions", doctor.Problem, "one direction is missing")
	}
	last.silent("drops", doctor.Problem)
	last.silent("listener", doctor.Problem)
	beside := examineIn(t, sensor, "--interface", watched, "--listen", "2s", "--beside")
	beside.says("directions", doctor.Problem, "what servers say")
}

func TestDoctorNamesWhatKeepsItFromListening(t *testing.T) {
	sensor, _ := wire(t)
	r := examineIn(t, sensor, "--interface", "nope0", "--listen", "1s")
	r.says("interface", doctor.Problem, "is not there; there are lo, "+watched)
	argv := append(append([]string(nil), sensor...), "ip", "link", "set", watched, "down")
	if out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
	r = examineIn(t, sensor, "--interface", watched, "--listen", "1s")
	r.says("interface", doctor.Problem, "ip link set "+watched+" up")
	r.silent("traffic", doctor.Problem)
	if _, err := exec.LookPath("setpriv"); err != nil {
		leaveOut(t, "needs setpriv: apt-get install util-linux")
	}
	deprived := append(append([]string(nil), sensor...), "setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
	r = examineIn(t, deprived, "--interface", "lo", "--listen", "1s")
	r.says("privilege", doctor.Problem, "NET_RAW")
	r.silent("traffic", doctor.Problem)
	if r.status != exitFailed {
		t.Errorf("status %d", r.status)
	}
}

// The commands of docs/mirror.md for Linux: what a server receives and sends on
// eth0 comes to the sensor over eth1, as it is and in VXLAN.
func TestMirrorOfLinux(t *testing.T) {
	if _, err := exec.LookPath("tc"); err != nil {
		leaveOut(t, "needs tc: apt-get install iproute2")
	}
	for _, way := range []string{"tc", "vxlan"} {
		t.Run(way, func(t *testing.T) {
			sensor, host := wire(t)
			inside := func(namespace string, words ...string) {
				t.Helper()
				argv := append([]string{"netns", "exec", namespace}, words...)
				if out, err := exec.Command("ip", argv...).CombinedOutput(); err != nil {
					leaveOut(t, strings.Join(words, " ")+": the kernel may lack it: "+string(out))
				}
			}
			far := sensor[len(sensor)-1]
			for _, line := range []string{"link set eth0 down", "link set eth0 name eth1", "link set eth1 up", "addr add " + clientAddress + "/24 dev eth1",
				"link add eth0 type veth peer name clients0 netns " + far, "link set eth0 up"} {
				fields := append([]string{"ip"}, strings.Fields(line)...)
				if out, err := exec.Command("ip", append([]string{"netns", "exec", host}, fields...)...).CombinedOutput(); err != nil && !strings.Contains(string(out), "already") {
					t.Fatalf("%s: %s", line, out)
				}
			}
			inside(far, "ip", "link", "set", "clients0", "up")
			for _, command := range documented(t, "../../docs/mirror.md", way) {
				inside(host, strings.Fields(command)...)
			}
			clients := packetSocket(t, far, "clients0")
			t.Cleanup(func() { unix.Close(clients) })
			mirror{client: clients}.play(t, host)
			var r examined
			within(40*time.Second, func() bool {
				r = examineIn(t, sensor, "--interface", watched, "--listen", "1s")
				return r.Has("directions", doctor.OK)
			})
			r.says("directions", doctor.OK, "both directions")
			if way == "vxlan" {
				r.says("tags", doctor.OK, "vxlan:42")
			}
		})
	}
}

// documented are the commands between two marks of a page.
func documented(t *testing.T, file, mark string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- "+mark+": begin")
	_, rest, _ = strings.Cut(rest, "-->\n")
	block, _, found := strings.Cut(rest, "<!-- "+mark+": end")
	if !found {
		t.Fatalf("%s has no commands of %s", file, mark)
	}
	return strings.Split(strings.TrimSpace(block), "\n")
}
