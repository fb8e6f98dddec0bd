package evidence

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

// directory holds the files, within limits. It belongs to one goroutine, but for
// path, which anyone may ask.
type directory struct {
	name      string
	maxFiles  int
	maxOctets int64
	files     []file // ours, the oldest first
	octets    int64
}

type file struct {
	name   string
	octets int64
	age    int64
}

var (
	// errTooLarge says that a file alone is more than all files may be.
	errTooLarge = errors.New("the file is larger than max_size of the directory")

	ours = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z-[A-Za-z0-9_]{1,64}-[0-9a-f]{1,16}\.pcapng$`)
	odd  = regexp.MustCompile(`[^A-Za-z0-9_]`)
)

const (
	timeForm   = "20060102T150405.000Z"
	unfinished = ".evidence-*.tmp"
)

// openDirectory makes the directory if need be, tries whether files can be made
// in it, and lists ours.
func openDirectory(name string, maxFiles int, maxOctets int64) (*directory, error) {
	if err := os.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	left, err := filepath.Glob(filepath.Join(name, unfinished))
	if err != nil {
		return nil, err
	}
	for _, old := range left { // of a run that was killed
		os.Remove(old)
	}
	probe, err := os.CreateTemp(name, unfinished)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(probe.Close(), os.Remove(probe.Name())); err != nil {
		return nil, err
	}
	d := &directory{name: name, maxFiles: maxFiles, maxOctets: maxOctets}
	return d, d.list()
}

func (d *directory) list() error {
	entries, err := os.ReadDir(d.name)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !ours.MatchString(e.Name()) || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil {
			d.files = append(d.files, file{e.Name(), info.Size(), info.ModTime().UnixNano()})
			d.octets += info.Size()
		}
	}
	slices.SortStableFunc(d.files, func(a, b file) int { return int(min(max(a.age-b.age, -1), 1)) })
	return nil
}

// path is where the evidence of an alert stands.
func (d *directory) path(a *alerts.Alert) string {
	rule := odd.ReplaceAllString(a.Rule, "_")
	return filepath.Join(d.name, fmt.Sprintf("%s-%s-%s.pcapng", a.Time.UTC().Format(timeForm), rule[:min(len(rule), 64)], printed(a.Fingerprint)))
}

// printed is a fingerprint as its makers promise it.
func printed(s string) string {
	ok := len(s) > 0 && len(s) <= 16 && strings.Trim(s, "0123456789abcdef") == ""
	if !ok {
		return "0"
	}
	return s
}

// write makes one file, whole or not at all, and says how many older ones had to
// go for it.
func (d *directory) write(path string, fill func(io.Writer) error) (removed int, err error) {
	f, err := os.CreateTemp(d.name, unfinished) // for its owner alone
	if err != nil {
		return 0, err
	}
	size, err := filled(f, fill)
	if err == nil && size > d.maxOctets {
		err = errTooLarge
	}
	if err == nil {
		removed, err = d.makeRoom(filepath.Base(path), size)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return removed, errors.Join(err, os.Remove(f.Name()))
	}
	d.files = append(d.files, file{name: filepath.Base(path), octets: size, age: time.Now().UnixNano()})
	d.octets += size
	return removed, nil
}

// probe tries whether a file of some size can be written.
func (d *directory) probe() error {
	f, err := os.CreateTemp(d.name, unfinished)
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 64<<10))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

func filled(f *os.File, fill func(io.Writer) error) (size int64, err error) {
	err = fill(f)
	if err == nil {
		size, err = f.Seek(0, io.SeekCurrent)
	}
	return size, errors.Join(err, f.Close())
}

// makeRoom removes the oldest files until one more finds its place.
func (d *directory) makeRoom(name string, size int64) (removed int, err error) {
	if i := slices.IndexFunc(d.files, func(f file) bool { return f.name == name }); i >= 0 { // it is replaced
		d.octets -= d.files[i].octets
		d.files = slices.Delete(d.files, i, i+1)
	}
	for len(d.files) > 0 && (len(d.files) >= d.maxFiles || d.octets+size > d.maxOctets) {
		if err := d.removeOldest(); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

func (d *directory) removeOldest() error {
	oldest := d.files[0]
	if err := os.Remove(filepath.Join(d.name, oldest.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	d.files, d.octets = d.files[1:], d.octets-oldest.octets
	return nil
}

// removeOld removes the files that were written before a time.
func (d *directory) removeOld(before time.Time) (removed int, err error) {
	for len(d.files) > 0 && d.files[0].age < before.UnixNano() {
		if err := d.removeOldest(); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
