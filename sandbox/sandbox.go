// Package sandbox gives up what the program may do, once it has what it needs:
// capabilities, paths of the file system (Landlock) and system calls (seccomp), for
// all threads and for good. It owns what of these is in force and can tell it.
// cmd/mailtap calls it, before a hostile octet is read; nothing else does. It never
// opens a file or socket for others and never gets anything back.
package sandbox

import (
	"errors"
	"fmt"
	"strings"
)

// Mode says how much must be had.
type Mode string

// The modes.
const (
	Auto     Mode = "auto"     // what the kernel has; the rest is told
	Required Mode = "required" // all, or it is an error
	Off      Mode = "off"      // nothing is given up
)

// Access is what may be done with a path.
type Access uint8

// Kinds of access. Each one that writes or executes reads too.
const (
	Read    Access = 1 << iota
	Write          // of a folder: files in it are made, renamed and removed
	Execute        // by a child: seccomp keeps the program itself what it is
)

// Options say what is still needed.
type Options struct {
	Mode Mode
	// Files are read, and may be replaced by others of their name: where its folder
	// is not one that everybody shares, it is allowed as a whole.
	Files []string
	// Written files are appended to, moved away and made anew, so their folders
	// can be written.
	Written []string
	// Readable and Writable are files, or folders with all that is in them.
	Readable, Writable []string
	// Programs are run. They inherit all limits, and need the system's libraries
	// and programs.
	Programs []string
}

// Status is what was given up. Its zero value: nothing.
type Status struct {
	Capabilities string // none, or those that are kept
	NoNewPrivs   bool
	Landlock     int // the kernel's ABI; 0: no path is refused
	Seccomp      bool
	Missing      []string // the parts that could not be had, each with its reason
	Kept         string   // why capabilities stay, which seccomp makes useless; empty where they do not
}

// Attrs are the status as a log has it.
func (s *Status) Attrs() []any {
	landlock := "unavailable"
	if s.Landlock > 0 {
		landlock = fmt.Sprintf("abi %d", s.Landlock)
	}
	return []any{"capabilities", s.Capabilities, "no_new_privs", onOff(s.NoNewPrivs), "landlock", landlock, "seccomp", onOff(s.Seccomp)}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// Support is what the kernel has.
type Support struct {
	Landlock int // ABI; 0: none
	Seccomp  bool
}

// ErrOutside is wrapped by what Check returns.
var ErrOutside = errors.New("outside of what the sandbox allows")

// Sandbox is what is in force. nil: nothing is.
type Sandbox struct {
	Status
	grants   []grant
	programs bool // may be run
}

// Check tells whether a path can still be opened: a reload may name new ones, and
// the kernel's own word for it, permission denied, says little.
func (s *Sandbox) Check(path string, want Access) error {
	if s.Allows(path, want) {
		return nil
	}
	return fmt.Errorf("%s is %w, which was set up when mailtap started: restart mailtap", path, ErrOutside)
}

// Allows is Check's answer alone.
func (s *Sandbox) Allows(path string, want Access) bool {
	if s != nil && s.Seccomp && want&Execute != 0 && !s.programs {
		return false
	}
	if s == nil || s.Landlock == 0 {
		return true
	}
	for _, g := range s.grants {
		if g.access&want == want && g.covers(path) {
			return true
		}
	}
	return false
}

// want notes a part that could not be had; where all are required it is an error.
func (s *Sandbox) want(m Mode, part string, err error) error {
	if err == nil {
		return nil
	}
	if m == Required {
		return fmt.Errorf("sandbox.mode required: %s: %w", part, err)
	}
	s.Missing = append(s.Missing, part+": "+strings.TrimSpace(err.Error()))
	return nil
}
