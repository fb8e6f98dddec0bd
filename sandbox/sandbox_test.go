package sandbox

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A part that cannot be had is noted, or where all are wanted it is an error.
func TestMissingPart(t *testing.T) {
	why := errors.New("the kernel has none")
	var s Sandbox
	if err := s.want(Auto, "landlock", why); err != nil || len(s.Missing) != 1 || s.Missing[0] != "landlock: the kernel has none" {
		t.Errorf("auto: %v, %q", err, s.Missing)
	}
	if err := s.want(Required, "landlock", why); !errors.Is(err, why) || len(s.Missing) != 1 {
		t.Errorf("required: %v, %q", err, s.Missing)
	}
	if err := s.want(Required, "landlock", nil); err != nil {
		t.Error(err)
	}
}

// Without Landlock nothing is outside, and what was never set up allows all.
func TestNothingInForce(t *testing.T) {
	var none *Sandbox
	for _, s := range []*Sandbox{none, {}} {
		if err := s.Check("/etc/shadow", Write); err != nil {
			t.Error(err)
		}
	}
}

// Where no receiver ran a program at the start, none can be added.
func TestProgramsAreOfTheStart(t *testing.T) {
	if (&Sandbox{Status: Status{Seccomp: true}}).Allows("/bin/true", Execute) || !(&Sandbox{Status: Status{Seccomp: true}, programs: true}).Allows("/bin/true", Execute) {
		t.Error("programs are allowed where execve is refused, or refused where it is not")
	}
}

func TestCheckFollowsNames(t *testing.T) {
	dir := t.TempDir()
	own, other := filepath.Join(dir, "own"), filepath.Join(dir, "other")
	for _, d := range []string{own, other} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(other, "file")
	for _, f := range []string{file, filepath.Join(other, "beside")} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(other, "beside"), filepath.Join(own, "link")); err != nil {
		t.Fatal(err)
	}
	var g grants
	g.add(Read|Write, own)
	g.add(Read, file)
	s := &Sandbox{Status: Status{Landlock: 1}, grants: g}
	for path, want := range map[string]bool{
		own: true, filepath.Join(own, "new", "deep"): true, own + "er": false, filepath.Join(own, "..", "other", "beside"): false,
		filepath.Join(own, "link"): false, file: true, other: false,
	} {
		if got := s.Allows(path, Read); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
	if s.Allows(file, Write) {
		t.Error("a file that may be read may be written")
	}
	// The kernel holds the inode: a file that takes its place is another one.
	if err := os.WriteFile(file+".new", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(file, Read); !errors.Is(err, ErrOutside) || !strings.Contains(err.Error(), file+" is outside of what the sandbox allows") {
		t.Errorf("the new file: %v", err)
	}
}

// Folders that everybody shares are not one program's.
func TestSharedFolders(t *testing.T) {
	for dir, want := range map[string]bool{
		"/": true, "/etc": true, "/tmp": true, "/srv": true, "/usr/lib": true, "/var/log": true, "/etc/mailtap": false, "/nosuch/folder": true, t.TempDir(): false,
	} {
		if _, err := os.Stat(dir); err != nil && dir == "/etc/mailtap" {
			continue
		}
		if got := shared(dir); got != want {
			t.Errorf("%s: %v", dir, got)
		}
	}
}
