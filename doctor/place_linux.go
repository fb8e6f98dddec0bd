package doctor

import "golang.org/x/sys/unix"

// freeSpace is what an ordinary user may still write to a folder's file system.
func freeSpace(dir string) (free, total uint64, known bool) {
	var s unix.Statfs_t
	if unix.Statfs(dir, &s) != nil {
		return 0, 0, false
	}
	return s.Bavail * uint64(s.Bsize), s.Blocks * uint64(s.Bsize), true
}
