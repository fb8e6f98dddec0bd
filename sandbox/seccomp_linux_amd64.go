package sandbox

import "golang.org/x/sys/unix"

// refusedHere are calls that not every architecture has.
var refusedHere = []uint32{
	unix.SYS_MKNOD, unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_MODIFY_LDT, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_CREATE_MODULE, unix.SYS_USELIB, unix.SYS__SYSCTL,
}
