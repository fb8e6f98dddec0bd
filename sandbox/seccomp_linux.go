package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The filter names what is refused and lets the rest through. A list of what is
// allowed would be shorter for an attacker and longer for everyone else: the
// program is linked with the C library of the machine, and that, the Go runtime and
// libpcap begin to use new calls with their releases; a list that misses one stops a
// sensor on the day of an update. What the list of refusals misses, the lack of
// capabilities, no_new_privs and Landlock still hold.

// refused are the calls that mailtap never makes, by what they are for.
var refused = []uint32{
	// other processes
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PIDFD_GETFD, unix.SYS_KCMP, unix.SYS_PROCESS_MADVISE,
	// namespaces and the tree of files
	unix.SYS_UNSHARE, unix.SYS_SETNS, unix.SYS_CHROOT, unix.SYS_PIVOT_ROOT, unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_OPEN_TREE, unix.SYS_OPEN_TREE_ATTR,
	unix.SYS_MOVE_MOUNT, unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_FANOTIFY_INIT, unix.SYS_MKNODAT, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_ACCT,
	// the kernel
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_REBOOT, unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_SYSLOG,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL, unix.SYS_VHANGUP, unix.SYS_NFSSERVCTL, unix.SYS_LOOKUP_DCOOKIE, unix.SYS_PERSONALITY,
	unix.SYS_MIGRATE_PAGES, unix.SYS_MOVE_PAGES, unix.SYS_MBIND, unix.SYS_SET_MEMPOLICY,
	// the machine's name and clock
	unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME, unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX,
	// a file without a name, which Landlock does not see, to be executed
	unix.SYS_MEMFD_CREATE,
}

// executes are refused where no receiver runs a program.
var executes = []uint32{unix.SYS_EXECVE, unix.SYS_EXECVEAT}

// families are those of sockets that may still be opened, beside those of IP that are
// not raw.
var families = []uint32{unix.AF_UNIX, unix.AF_NETLINK}

// socketType is what of socket's second argument is the type; the rest is flags.
const socketType = 0xf

// newNamespaces are the flags of clone that make namespaces, where an
// unprivileged user gets capabilities.
const newNamespaces = unix.CLONE_NEWNS | unix.CLONE_NEWCGROUP | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC | unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWNET

// Places in struct seccomp_data, of a little-endian machine.
const (
	dataCall, dataArch              = 0, 4
	dataFirst, dataSecond           = 16, 24
	answerAllow, answerErrno        = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO
	x32Calls                 uint32 = 0x40000000
)

// filter is the program that the kernel runs for each call.
func filter(arch uint32, programs bool) []bpf.Instruction {
	refuse := func(e unix.Errno) bpf.Instruction { return bpf.RetConstant{Val: answerErrno | uint32(e)} }
	code := []bpf.Instruction{
		// Calls of another architecture have other numbers: int 0x80 on amd64.
		bpf.LoadAbsolute{Off: dataArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arch, SkipTrue: 1},
		refuse(unix.EPERM),
		bpf.LoadAbsolute{Off: dataCall, Size: 4},
	}
	if arch == unix.AUDIT_ARCH_X86_64 { // x32 has this architecture and other numbers
		code = append(code, bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: x32Calls, SkipFalse: 1}, refuse(unix.ENOSYS))
	}
	list := append(append([]uint32(nil), refused...), refusedHere...)
	if !programs {
		list = append(list, executes...)
	}
	for _, call := range list {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: call, SkipFalse: 1}, refuse(unix.EPERM))
	}
	// The flags of clone3 lie in memory, where a filter cannot look: without it clone is used.
	code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_CLONE3, SkipFalse: 1}, refuse(unix.ENOSYS))
	code = append(code,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_CLONE, SkipFalse: 4},
		bpf.LoadAbsolute{Off: dataFirst, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: newNamespaces, SkipFalse: 1},
		refuse(unix.EPERM),
		bpf.RetConstant{Val: answerAllow},
	)
	// Input that looks typed, for the shell whose terminal this is.
	code = append(code,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_IOCTL, SkipFalse: 5},
		bpf.LoadAbsolute{Off: dataSecond, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.TIOCSTI, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.TIOCLINUX, SkipFalse: 1},
		refuse(unix.EPERM),
		bpf.RetConstant{Val: answerAllow},
	)
	code = append(code,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SOCKET, SkipTrue: 1},
		bpf.RetConstant{Val: answerAllow},
		bpf.LoadAbsolute{Off: dataFirst, Size: 4},
	)
	for _, f := range families {
		code = append(code, bpf.JumpIf{Cond: bpf.JumpEqual, Val: f, SkipFalse: 1}, bpf.RetConstant{Val: answerAllow})
	}
	code = append(code,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET, SkipTrue: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.AF_INET6, SkipFalse: 4},
		// Raw ones need cap_net_raw, which a filter before this one may have made stay.
		bpf.LoadAbsolute{Off: dataSecond, Size: 4},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: socketType},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SOCK_RAW, SkipTrue: 1},
		bpf.RetConstant{Val: answerAllow},
	)
	return append(code, refuse(unix.EPERM))
}

// refuseCalls puts the filter before all threads at once.
func refuseCalls(programs bool) error {
	arch, ok := auditArchs[runtime.GOARCH]
	if !ok {
		return fmt.Errorf("no filter is written for %s", runtime.GOARCH)
	}
	raw, err := bpf.Assemble(filter(arch, programs))
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	// SPEC_ALLOW: kernels before 5.16 else slow every thread down for good, against
	// code that is not trusted running in this process, which there is none of.
	const flags = unix.SECCOMP_FILTER_FLAG_TSYNC | unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW
	thread, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	switch {
	case e != 0:
		return os.NewSyscallError("seccomp", e)
	case thread != 0:
		return errors.New("a thread has another filter")
	}
	return nil
}

// hasSeccomp asks with a filter that is none: EFAULT tells that there are filters.
func hasSeccomp() bool {
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, 0)
	return e == unix.EFAULT
}

// auditArchs are the architectures whose calls are as the filter thinks: flags of
// clone in the first argument, the low half of an argument first.
var auditArchs = map[string]uint32{
	"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64, "riscv64": unix.AUDIT_ARCH_RISCV64,
	"loong64": unix.AUDIT_ARCH_LOONGARCH64, "ppc64le": unix.AUDIT_ARCH_PPC64LE, "arm": unix.AUDIT_ARCH_ARM,
}
