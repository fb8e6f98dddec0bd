package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Place is a folder that mailtap writes to.
type Place struct {
	Key    string // of the configuration
	Folder string
	Needs  uint64 // octets that it may come to hold; 0: nobody knows
	Makes  bool   // run makes it where it is not there
}

// Folder says whether a place can be written, by who asks, and what room it has.
func Folder(p Place) Finding {
	dir := p.Folder
	info, err := os.Stat(dir)
	if errors.Is(err, os.ErrNotExist) && p.Makes {
		if dir = filepath.Dir(filepath.Clean(dir)); unix.Access(dir, unix.W_OK|unix.X_OK) == nil {
			return ok("folder", p.Key, "%s is not there yet", p.Folder).meaning("run makes it")
		}
		return ok("folder", p.Key, "%s is not there, and %s cannot be written", p.Folder, dir).as(Problem, "run does not start", "make it, for mailtap's user alone")
	}
	switch {
	case err != nil:
		return ok("folder", p.Key, "%s", err).as(Problem, "nothing can be written there", "make it, for mailtap's user")
	case !info.IsDir():
		return ok("folder", p.Key, "%s is no folder", p.Folder).as(Problem, "nothing can be written there", "name a folder")
	}
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return ok("folder", p.Key, "%s cannot be written: %s", p.Folder, err).as(Problem, "run, as this user, cannot keep anything there", "chown it to mailtap's user, or name another one")
	}
	return p.room(dir)
}

func (p Place) room(dir string) Finding {
	free, total, known := freeSpace(dir)
	if !known {
		return ok("folder", p.Key, "%s can be written", p.Folder)
	}
	f := ok("folder", p.Key, "%s can be written, %s free", p.Folder, size(free))
	switch {
	case free < 64<<20:
		return f.as(Problem, "the disk is full, or nearly", "make room")
	case free < p.Needs:
		return f.as(Note, "it may come to hold "+size(p.Needs), "make room, or lower its limit")
	case total > 0 && free < total/20:
		return f.as(Note, "less than 5 % of the disk", "make room")
	}
	return f
}

// size writes octets for people.
func size(n uint64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d octets", n)
	}
	value, unit := float64(n)/1024, 0
	for value >= 1024 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}
