package notify

import (
	"os"
	"testing"
)

// QuickDir is a folder for tests, in memory where the machine has one: a kill
// leaves there what it leaves on a disk, and nobody waits for the disk.
func QuickDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "mailtap-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}
