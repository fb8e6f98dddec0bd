package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// The test binary is also the process that gives everything up: it cannot have it
// back. It tries what it is told to and prints what came of it.
const confinedIn = "MAILTAP_TEST_CONFINED_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(confinedIn); dir != "" {
		confined(dir)
		return
	}
	os.Exit(m.Run())
}

// outcome is what the confined process tells.
type outcome struct {
	Status  Status
	Error   string
	Tried   map[string]string // what was tried; empty: it was done
	Threads []string          // what the kernel says of each thread, one that is like another once
	Outside []string          // what Check says
}

// confined enters the sandbox with other threads at work, and tries everything in
// a thread that was there before.
func confined(dir string) {
	begin, done := make(chan func()), make(chan bool)
	for range 4 {
		go func() {
			runtime.LockOSThread()
			for f := range begin {
				f()
				done <- true
			}
		}()
		begin <- func() {}
		<-done
	}
	o := Options{
		Mode: Mode(os.Getenv("MAILTAP_TEST_MODE")), Files: []string{dir + "/config/mailtap.yaml"},
		Written: []string{dir + "/log/records.json"}, Writable: []string{dir + "/state"}, Readable: []string{dir + "/loose/allowed"},
	}
	if os.Getenv("MAILTAP_TEST_PROGRAMS") != "" {
		o.Programs = []string{"/bin/true"}
	}
	var out outcome
	s, err := Enter(o)
	if err != nil {
		out.Error = err.Error()
	}
	out.Status, out.Tried = s.Status, make(map[string]string)
	begin <- func() {
		for what, try := range attempts(dir) {
			if only := os.Getenv("MAILTAP_TEST_ONLY"); only != "" && !slices.Contains(strings.Split(only, ","), what) {
				continue
			}
			if err := try(); err != nil {
				out.Tried[what] = err.Error()
			} else {
				out.Tried[what] = ""
			}
		}
	}
	<-done
	out.Threads = threads()
	for _, p := range []string{dir + "/config/new.yaml", dir + "/log/x", dir + "/loose/allowed", dir + "/loose/refused"} {
		if err := s.Check(p, Read); err != nil {
			out.Outside = append(out.Outside, err.Error())
		}
	}
	json.NewEncoder(os.Stdout).Encode(out)
}

func attempts(dir string) map[string]func() error {
	call := func(n uintptr, args ...uintptr) error {
		args = append(args, 0, 0, 0, 0, 0, 0)
		if _, _, e := unix.Syscall6(n, args[0], args[1], args[2], args[3], args[4], args[5]); e != 0 {
			return e
		}
		return nil
	}
	read := func(name string) func() error {
		return func() error { _, err := os.ReadFile(name); return err }
	}
	write := func(name string) func() error {
		return func() error { return os.WriteFile(name, nil, 0o600) }
	}
	socket := func(family, kind, protocol int) func() error {
		return func() error { _, err := unix.Socket(family, kind, protocol); return err }
	}
	return map[string]func() error{
		"read /etc/shadow": read("/etc/shadow"),
		"read refused":     read(dir + "/loose/refused"),
		"read allowed":     read(dir + "/loose/allowed"),
		"read other's /proc": func() error {
			_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
			return err
		},
		"list /":          func() error { _, err := os.ReadDir("/"); return err },
		"write refused":   write(dir + "/loose/new"),
		"write config":    write(dir + "/config/mailtap.yaml"),
		"write /dev/null": write(os.DevNull),
		"replaced config": read(dir + "/config/new.yaml"),
		"own /proc":       read("/proc/self/stat"),
		"hosts":           read("/etc/hosts"),
		"rotate": func() error {
			return errors.Join(os.WriteFile(dir+"/log/records.json", []byte("x"), 0o600), os.Rename(dir+"/log/records.json", dir+"/log/records.1"),
				os.WriteFile(dir+"/log/records.json", nil, 0o600), os.Remove(dir+"/log/records.1"))
		},
		"state": func() error {
			return errors.Join(os.MkdirAll(dir+"/state/spool", 0o700), os.WriteFile(dir+"/state/spool/1", nil, 0o600))
		},
		"execute":           func() error { return exec.Command("/bin/true").Run() },
		"execute elsewhere": func() error { return exec.Command(dir + "/loose/program").Run() },
		"packet socket":     socket(unix.AF_PACKET, unix.SOCK_RAW, 0),
		"raw socket":        socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP),
		"crypto socket":     socket(unix.AF_ALG, unix.SOCK_SEQPACKET, 0),
		"loopback":          loopback,
		"resolve": func() error {
			_, err := (&net.Resolver{PreferGo: true}).LookupHost(context.Background(), "localhost")
			return err
		},
		"resolve by libc": func() error { _, err := (&net.Resolver{}).LookupHost(context.Background(), "localhost"); return err },
		"ptrace":          func() error { return call(unix.SYS_PTRACE, unix.PTRACE_TRACEME) },
		"mount":           func() error { return unix.Mount("none", dir, "tmpfs", 0, "") },
		"chroot":          func() error { return unix.Chroot(dir) },
		"user namespace":  func() error { return unix.Unshare(unix.CLONE_NEWUSER) },
		"namespace by clone": func() error {
			c := exec.Command("/bin/true")
			c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER}
			return c.Run()
		},
		"bpf":      func() error { return call(unix.SYS_BPF, 99) },
		"perf":     func() error { return call(unix.SYS_PERF_EVENT_OPEN) },
		"keys":     func() error { return call(unix.SYS_KEYCTL, 0, ^uintptr(2), 1) },
		"io_uring": func() error { return call(unix.SYS_IO_URING_SETUP) },
		"memfd":    func() error { _, err := unix.MemfdCreate("x", 0); return err },
		"take a capability": func() error {
			want := cap.NewSet()
			return errors.Join(want.SetFlag(cap.Permitted, true, cap.NET_RAW), want.SetProc())
		},
		"type into terminal": func() error {
			b := byte('x')
			return call(unix.SYS_IOCTL, 0, unix.TIOCSTI, uintptr(b))
		},
	}
}

func loopback() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return err
	}
	return c.Close()
}

// threads tells what the kernel says of every thread.
func threads() (all []string) {
	tasks, _ := filepath.Glob("/proc/self/task/*/status")
	for _, name := range tasks {
		text, _ := os.ReadFile(name)
		var kept []string
		for line := range strings.Lines(string(text)) {
			if field, _, _ := strings.Cut(line, ":"); slices.Contains([]string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"}, field) {
				kept = append(kept, strings.Join(strings.Fields(line), ""))
			}
		}
		all = append(all, strings.Join(kept, " "))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// enters runs the process in folders of its own, as a user.
func enters(t *testing.T, uid uint32, mode Mode, more ...string) outcome {
	t.Helper()
	dir, err := os.MkdirTemp("", "sandbox") // others may look into it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{"config", "log", "state", "loose"} {
		os.Mkdir(dir+"/"+d, 0o755)
		os.Chown(dir+"/"+d, int(uid), int(uid))
	}
	os.Chmod(dir, 0o755|os.ModeSticky) // loose is alone in it
	os.Chmod(dir+"/loose", 0o755|os.ModeSticky)
	for _, f := range []string{"config/mailtap.yaml", "config/new.yaml", "loose/allowed", "loose/refused", "log/x"} {
		os.WriteFile(dir+"/"+f, nil, 0o644)
	}
	text, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Skip(err)
	}
	os.WriteFile(dir+"/loose/program", text, 0o755)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err = os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(dir+"/test", text, 0o755)
	c := exec.Command(dir + "/test")
	c.Env = append(append(os.Environ(), more...), confinedIn+"="+dir, "MAILTAP_TEST_MODE="+string(mode), "GORACE=atexit_sleep_ms=0")
	if os.Geteuid() == 0 {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	c.Stderr = os.Stderr
	answer, err := c.Output()
	var out outcome
	if err != nil || json.Unmarshal(answer, &out) != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	return out
}

// allowed is what goes on working.
var allowed = []string{"read allowed", "write /dev/null", "replaced config", "own /proc", "hosts", "rotate", "state", "loopback", "resolve", "resolve by libc"}

func TestEnter(t *testing.T) {
	can := Supported()
	if can.Landlock == 0 || !can.Seccomp {
		t.Skipf("this kernel lacks a part: %+v", can)
	}
	cases := map[string]struct {
		uid      uint32
		more     []string
		programs []string
	}{
		"user":              {uid: 65534},
		"user with command": {uid: 65534, more: []string{"MAILTAP_TEST_PROGRAMS=1"}, programs: []string{"execute"}},
		"libc's resolver":   {uid: 65534, more: []string{"GODEBUG=netdns=cgo"}},
	}
	if os.Geteuid() == 0 {
		cases["root"] = struct {
			uid      uint32
			more     []string
			programs []string
		}{}
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got := enters(t, c.uid, Required, c.more...)
			if got.Error != "" || got.Status.Capabilities != "none" || !got.Status.NoNewPrivs || !got.Status.Seccomp || got.Status.Landlock != can.Landlock || len(got.Status.Missing) > 0 {
				t.Fatalf("%+v", got)
			}
			works := append(slices.Clone(allowed), c.programs...)
			for _, what := range slices.Sorted(maps.Keys(got.Tried)) {
				switch answer := got.Tried[what]; {
				case slices.Contains(works, what) && answer != "":
					t.Errorf("%s: %s", what, answer)
				case !slices.Contains(works, what) && !strings.Contains(answer, "permi"):
					t.Errorf("%s is not refused: %q", what, answer)
				}
			}
			if len(got.Threads) != 1 || !strings.Contains(got.Threads[0], "CapInh:0000000000000000 CapPrm:0000000000000000 CapEff:0000000000000000") ||
				!strings.Contains(got.Threads[0], "CapAmb:0000000000000000 NoNewPrivs:1 Seccomp:2") {
				t.Errorf("threads %q", got.Threads)
			}
			if c.uid == 0 && !strings.Contains(got.Threads[0], "CapBnd:0000000000000000") {
				t.Errorf("the bounding set stays: %q", got.Threads)
			}
			if len(got.Outside) != 1 || !strings.HasSuffix(got.Outside[0], "/loose/refused is outside of what the sandbox allows, which was set up when mailtap started: restart mailtap") {
				t.Errorf("Check says %q", got.Outside)
			}
		})
	}
}

// The attempts themselves can succeed: without a sandbox root's do.
// A capability that stays is a part that is missing only where no filter holds it.
func TestCapabilityThatStays(t *testing.T) {
	var held, open Sandbox
	held.keep(nil)
	open.keep(unix.ENOSYS)
	if held.Kept == "" || len(held.Missing) != 0 || open.Kept != "" || len(open.Missing) != 1 {
		t.Errorf("%+v, %+v", held.Status, open.Status)
	}
}

func TestOff(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: its attempts succeed")
	}
	harmless := append([]string{"read /etc/shadow", "read refused", "write refused", "write config", "execute", "packet socket", "raw socket", "memfd"}, allowed...)
	got := enters(t, 0, Off, "MAILTAP_TEST_ONLY="+strings.Join(harmless, ","))
	for _, what := range harmless {
		if got.Tried[what] != "" {
			t.Errorf("%s: %s", what, got.Tried[what])
		}
	}
	if got.Status.Seccomp || got.Status.Landlock != 0 || len(got.Outside) > 0 {
		t.Errorf("%+v", got)
	}
}
