package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
)

// What each access is to Landlock. Links, sockets and devices are never made.
const (
	readRights    = ll.AccessFSReadFile | ll.AccessFSReadDir
	writeRights   = readRights | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSMakeReg | ll.AccessFSMakeDir | ll.AccessFSRemoveFile | ll.AccessFSRemoveDir
	executeRights = readRights | ll.AccessFSExecute
	fileRights    = ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSExecute
)

// restrictPaths leaves the granted paths to all threads. Only what ABI 5 has is
// handled: a later kernel refuses nothing that was not tried here.
func restrictPaths(all grants) (abi int, err error) {
	if abi = landlockABI(); abi == 0 {
		return 0, errors.New("the kernel has none (it is in Linux 5.13 and later, where it is switched on)")
	}
	handled := landlock.V5.HandledAccessFS
	if known := landlockRights(abi); known != 0 {
		handled &= known
	}
	rules := make([]landlock.Rule, 0, len(all))
	for _, g := range all {
		if strings.HasPrefix(g.path, "/proc/") {
			pin(g.path)
		}
		rights := landlock.AccessFSSet(0)
		for access, r := range map[Access]landlock.AccessFSSet{Read: readRights, Write: writeRights, Execute: executeRights} {
			if g.access&access != 0 {
				rights |= r
			}
		}
		if !g.info.IsDir() {
			rights &= fileRights
		}
		if rights &= handled; rights != 0 {
			rules = append(rules, landlock.PathAccess(rights, g.path).IgnoreIfMissing())
		}
	}
	if err := (landlock.Config{HandledAccessFS: handled}).Restrict(rules...); err != nil {
		return 0, err
	}
	return abi, nil
}

// pin keeps a name of /proc in the kernel's memory, by a file that is never closed.
// A rule holds the inode; when memory is short the kernel forgets the name, and the
// next one who asks for it gets a new inode, which no rule knows.
func pin(path string) { _, _ = unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0) }

// landlockRights are those that a kernel knows, beside ABI 1's; 0: all.
func landlockRights(abi int) landlock.AccessFSSet {
	switch {
	case abi >= 5:
		return 0
	case abi >= 3:
		return landlock.V3.HandledAccessFS
	case abi == 2:
		return landlock.V2.HandledAccessFS
	}
	return landlock.V1.HandledAccessFS
}

func landlockABI() int {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil {
		return 0
	}
	return abi
}

// grants are the paths of the options and those of the system.
func (o *Options) grants() grants {
	var g grants
	g.add(Read, systemReads...)
	g.add(Read|Write, "/dev/null")
	if Root() {
		// Without capabilities root still owns /etc/shadow.
		g.add(Read, rootReads...)
	} else {
		// Files of it are replaced by others of their names; file permissions hold the rest.
		g.add(Read, "/etc")
	}
	for _, f := range []string{"/etc/resolv.conf", "/etc/localtime"} {
		if target := resolve(f); filepath.Dir(target) != "/etc" {
			g.replaceable(f)
		}
	}
	for _, variable := range []string{"SSL_CERT_FILE", "ZONEINFO"} {
		g.replaceable(os.Getenv(variable))
	}
	g.add(Read, filepath.SplitList(os.Getenv("SSL_CERT_DIR"))...)
	for _, f := range o.Files {
		g.replaceable(f)
	}
	for _, f := range o.Written {
		g.written(f)
	}
	g.add(Read, o.Readable...)
	g.add(Read|Write, o.Writable...)
	if len(o.Programs) > 0 {
		g.add(Execute|Read, programReads...)
		g.add(Execute|Read, o.Programs...)
		for _, p := range o.Programs {
			if dir := filepath.Dir(resolve(p)); !shared(dir) {
				g.add(Execute|Read, dir)
			}
		}
	}
	return g
}

// systemReads are what the C library, Go's and the process's own metrics read:
// name resolution, certificates, time zones, counters of interfaces.
var systemReads = []string{
	"/proc/self", "/proc/stat", "/proc/meminfo", "/proc/sys/net", "/sys/class/net", "/sys/devices", "/sys/fs/cgroup", "/sys/kernel/mm/transparent_hugepage",
	"/dev/urandom", "/dev/random", "/dev/zero",
	"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64",
	"/usr/share/zoneinfo", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
	"/run/systemd/resolve", "/run/NetworkManager", "/run/resolvconf", "/run/connman", "/run/nscd",
}

// rootReads are what is needed of /etc.
var rootReads = []string{
	"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services", "/etc/protocols", "/etc/hostname",
	"/etc/localtime", "/etc/mime.types", "/etc/ld.so.cache", "/etc/passwd", "/etc/group",
	"/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls", "/etc/pki/ca-trust", "/etc/ca-certificates",
}

// programReads are where scripts find their interpreters and tools.
var programReads = []string{"/bin", "/sbin", "/usr", "/lib", "/lib32", "/lib64", "/opt"}
