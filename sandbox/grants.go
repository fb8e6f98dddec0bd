package sandbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// grant is a path that stays open: a folder with all that is in it, or a file.
type grant struct {
	path   string // absolute, without links
	access Access
	info   os.FileInfo
}

// covers says whether a path is the grant's or within it. The kernel holds a file
// by its inode: another one of its name is not covered.
func (g *grant) covers(path string) bool {
	path = resolve(path)
	if g.info.IsDir() {
		return path == g.path || strings.HasPrefix(path, strings.TrimSuffix(g.path, "/")+"/")
	}
	if path != g.path {
		return false
	}
	now, err := os.Stat(path)
	return err == nil && os.SameFile(now, g.info)
}

// resolve makes a path absolute and follows links, as far as it exists.
func resolve(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if resolved, err := filepath.EvalSymlinks(absolute); err == nil {
		return resolved
	}
	dir, name := filepath.Split(absolute)
	if dir = filepath.Clean(dir); dir == absolute {
		return absolute
	}
	return filepath.Join(resolve(dir), name)
}

// grants are collected.
type grants []grant

// add allows a path; one that is not there cannot be allowed, and opening it
// tells why.
func (g *grants) add(access Access, paths ...string) {
	for _, p := range paths {
		if p == "" {
			continue
		}
		p, err := filepath.Abs(p)
		if err != nil {
			continue
		}
		// What is there and cannot be resolved lives in no file system, such as a
		// shell's pipe as /dev/fd/63: the kernel takes no rule for it and needs none.
		if p, err = filepath.EvalSymlinks(p); err != nil {
			continue
		}
		info, err := os.Stat(p)
		if err != nil {
			continue
		}
		if i := slices.IndexFunc(*g, func(have grant) bool { return have.path == p }); i >= 0 {
			(*g)[i].access |= access
			continue
		}
		*g = append(*g, grant{p, access, info})
	}
}

// replaceable allows to read a file and what takes its place: a file that is
// renamed over it is another one, a link may point somewhere else tomorrow.
func (g *grants) replaceable(path string) {
	if path == "" {
		return
	}
	g.add(Read, path)
	absolute, err := filepath.Abs(path)
	if err != nil {
		return
	}
	for _, dir := range []string{filepath.Dir(absolute), filepath.Dir(resolve(path))} {
		if dir = resolve(dir); !shared(dir) {
			g.add(Read, dir)
		}
	}
}

// written allows a file that is made anew in its folder, or a device alone.
func (g *grants) written(path string) {
	if path == "" {
		return
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		g.add(Read|Write, path)
		return
	}
	for _, p := range []string{path, resolve(path)} {
		g.add(Read|Write, p)
		if dir := filepath.Dir(resolveDir(p)); !system(dir) {
			g.add(Read|Write, dir)
		}
	}
}

func resolveDir(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return filepath.Join(resolve(filepath.Dir(absolute)), filepath.Base(absolute))
}

// shared says whether a folder holds more than what is one program's: there only
// the file itself is allowed.
func shared(dir string) bool {
	if system(dir) || filepath.Dir(dir) == "/" || filepath.Dir(dir) == "/home" || dir == os.Getenv("HOME") {
		return true
	}
	info, err := os.Stat(dir)
	return err != nil || info.Mode()&os.ModeSticky != 0 || slices.Contains([]string{"/var/lib", "/var/log", "/var/cache", "/var/spool"}, dir)
}

// system says whether a folder is the system's: nothing of ours is made there,
// whatever a configuration says.
func system(dir string) bool {
	top, _, _ := strings.Cut(strings.TrimPrefix(dir, "/"), "/")
	return dir == "/" || dir == "/etc" || dir == "/root" || slices.Contains([]string{"bin", "boot", "dev", "lib", "lib32", "lib64", "proc", "sbin", "sys", "usr"}, top)
}
