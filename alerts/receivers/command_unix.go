//go:build unix

package receivers

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the command's children end with it when its time is over.
func ownGroup(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}
