package doctor

import (
	"encoding/binary"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Privilege says whether this process may capture. Where a mailtap runs already
// its own privilege is what counts.
func Privilege(program string, runs bool) Finding {
	status := processStatus()
	has := hexBit(status["CapEff"], unix.CAP_NET_RAW)
	root := os.Geteuid() == 0
	switch {
	case has && root:
		return ok("privilege", "", "root, with cap_net_raw").meaning("a service needs cap_net_raw alone, and no root")
	case has:
		return ok("privilege", "", "cap_net_raw is there").meaning("all that is needed")
	}
	f := ok("privilege", "", "no cap_net_raw")
	if runs {
		return f.as(Note, "the mailtap that runs has what it needs, this one cannot listen itself", "")
	}
	onFile := fileHas(program, unix.CAP_NET_RAW)
	switch {
	case root:
		return f.as(Problem, "this root has been deprived of it: a container or a unit's CapabilityBoundingSet", "give the container NET_RAW (--cap-add NET_RAW), or the unit AmbientCapabilities=CAP_NET_RAW")
	case onFile && status["NoNewPrivs"] == "1":
		return f.as(Problem, "the program file has it, but no_new_privs keeps it from working", "AmbientCapabilities=CAP_NET_RAW in the unit, or no NoNewPrivileges")
	case onFile:
		return f.as(Problem, "the program file has it, but its folder is mounted nosuid or the bounding set lacks it", "AmbientCapabilities=CAP_NET_RAW in the unit, or install it on a file system without nosuid")
	}
	return f.as(Problem, "no interface can be opened", "sudo setcap cap_net_raw+ep "+program+", or run it as the service, or sudo mailtap doctor")
}

// processStatus reads the fields of /proc/self/status.
func processStatus() map[string]string {
	fields := make(map[string]string)
	text, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(line, ":"); found {
			fields[name] = strings.TrimSpace(value)
		}
	}
	return fields
}

func hexBit(text string, bit uint) bool {
	n, err := strconv.ParseUint(text, 16, 64)
	return err == nil && n>>bit&1 == 1
}

// fileHas reads a permitted capability of a program file: struct vfs_cap_data,
// a word of version and flags, then pairs of permitted and inheritable words.
func fileHas(program string, bit uint) bool {
	var data [64]byte
	n, err := unix.Getxattr(program, "security.capability", data[:])
	return err == nil && n >= 8 && bit < 32 && binary.LittleEndian.Uint32(data[4:])>>bit&1 == 1
}

// Sandbox says what the kernel has to lock a process in with.
func Sandbox() []Finding {
	var out []Finding
	abi, _, failed := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if failed != 0 {
		out = append(out, ok("sandbox", "landlock", "the kernel has none (%s)", failed.Error()).as(Note,
			"files cannot be fenced in from inside", "a unit's ProtectSystem=strict does the same from outside; else a kernel of 5.13 with lsm=landlock"))
	} else {
		out = append(out, ok("sandbox", "landlock", "ABI %d", abi))
	}
	// Linux answers EFAULT to a filter that is nowhere, EINVAL where it knows no filters (seccomp(2)).
	_, _, failed = unix.RawSyscall(unix.SYS_PRCTL, unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, 0)
	if failed != unix.EFAULT {
		return append(out, ok("sandbox", "seccomp", "no filters of system calls (%s)", failed.Error()).as(Note,
			"system calls cannot be fenced in", "a kernel with CONFIG_SECCOMP_FILTER"))
	}
	return append(out, ok("sandbox", "seccomp", "filters can be set"))
}
