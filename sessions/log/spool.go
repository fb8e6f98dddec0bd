package log

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// spool is a folder of batches that wait for Loki, one a file, named by numbers in
// their order. It is whole after a crash: a file is there wholly or not at all. Its
// caller lets in one at a time.
type spool struct {
	dir   string
	max   int64
	age   time.Duration // of a file; then it goes. 0: for any time
	size  int64         // of all files, as they take room on a disk
	files []spooled
	next  uint64 // number of the next file: none is used twice, one may still be on its way
	fault func() error
}

// spooled is one file.
type spooled struct {
	number uint64
	time   int64 // when it was written
	size   int64
	items  int
}

const (
	spoolSuffix = ".records"
	asideSuffix = ".damaged"
	firstNumber = 1 << 40 // leaves room before it, for what was under way at the end
	diskBlock   = 4096    // a small file takes so much
)

// openSpool makes the folder where it is not there, and finds what an earlier run
// left. damaged counts files that tell nothing; they are set aside.
func openSpool(dir string, most int64) (s *spool, damaged int, err error) {
	// Records name users and addresses: they are for mailtap's user alone.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, 0, err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, 0, err
	}
	s = &spool{dir: dir, max: most, next: firstNumber}
	for _, e := range entries {
		name, ours := strings.CutSuffix(e.Name(), spoolSuffix)
		number, bad := strconv.ParseUint(name, 10, 64)
		if !ours || bad != nil {
			if strings.HasSuffix(e.Name(), spoolSuffix+".new") { // a crash cut it: its batch was in memory only
				os.Remove(filepath.Join(dir, e.Name()))
			}
			continue
		}
		f := spooled{number: number}
		if f.size, f.items, f.time, err = s.look(f); err != nil {
			damaged++
			s.setAside(f)
			continue
		}
		s.add(len(s.files), f)
		s.next = max(s.next, f.number+1)
	}
	slices.SortFunc(s.files, func(a, b spooled) int { return cmp.Compare(a.number, b.number) })
	return s, damaged, nil
}

func (s *spool) path(f spooled) string {
	return filepath.Join(s.dir, fmt.Sprintf("%020d%s", f.number, spoolSuffix))
}

// look reads a file's size and the number of its records.
func (s *spool) look(f spooled) (size int64, items int, written int64, err error) {
	in, err := os.Open(s.path(f))
	if err != nil {
		return 0, 0, 0, err
	}
	defer in.Close()
	header := make([]byte, spoolHeader)
	if _, err := io.ReadFull(in, header); err != nil {
		return 0, 0, 0, err
	}
	info, err := in.Stat()
	if err != nil {
		return 0, 0, 0, err
	}
	items, ok := spoolCount(header)
	if !ok || int64(items) > info.Size() {
		return 0, 0, 0, errDamaged
	}
	return info.Size(), items, info.ModTime().UnixNano(), nil
}

func (s *spool) add(at int, f spooled) {
	s.files = slices.Insert(s.files, at, f)
	s.size += room(f)
}

func room(f spooled) int64 { return (f.size + diskBlock - 1) / diskBlock * diskBlock }

// append writes a batch behind the others. The oldest give way where there is no
// room for it; gone is how many records those had.
func (s *spool) append(batch []item) (gone int, err error) {
	f := spooled{number: s.next, time: time.Now().UnixNano()}
	b := encodeSpool(batch)
	f.size, f.items = int64(len(b)), len(batch)
	if room(f) > s.max {
		return 0, fmt.Errorf("a batch of %d octets does not fit into %d", f.size, s.max)
	}
	for s.size+room(f) > s.max && len(s.files) > 0 {
		gone += s.files[0].items
		s.remove(s.files[0])
	}
	if err := s.write(f, b); err != nil {
		return gone, err
	}
	s.next++
	s.add(len(s.files), f)
	return gone, nil
}

// expire removes what waited for too long, and says how many records that were.
func (s *spool) expire(now time.Time) (gone int) {
	for s.age > 0 && len(s.files) > 0 && now.UnixNano()-s.files[0].time > int64(s.age) {
		gone += s.files[0].items
		s.remove(s.files[0])
	}
	return gone
}

// keep writes a batch that is under way and older than the others, so that a kill
// does not cost it. It is not on the list, as one that take gave.
func (s *spool) keep(batch []item) (spooled, error) {
	f := spooled{number: s.next - 1, time: time.Now().UnixNano()}
	if len(s.files) > 0 {
		f.number, f.time = s.files[0].number-1, s.files[0].time
	}
	b := encodeSpool(batch)
	f.size, f.items = int64(len(b)), len(batch)
	return f, s.write(f, b)
}

// putBack puts what is left of the batch under way before the others. was is the
// file that it came from, if any.
func (s *spool) putBack(batch []item, was spooled) error {
	f, err := s.keep(batch)
	if err != nil {
		return err
	}
	if was.number != f.number {
		s.remove(was)
	}
	s.add(0, f)
	return nil
}

// write leaves a whole file or none.
func (s *spool) write(f spooled, b []byte) error {
	if s.fault != nil {
		if err := s.fault(); err != nil {
			return err
		}
	}
	name := s.path(f)
	out, err := os.OpenFile(name+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(b)
	if err = errors.Join(err, out.Sync(), out.Close()); err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		os.Remove(name + ".new")
	}
	return err
}

// take takes the oldest off the list: it gives way to nothing. Its file stays on
// the disk until remove.
func (s *spool) take() (spooled, bool) {
	if len(s.files) == 0 {
		return spooled{}, false
	}
	f := s.files[0]
	s.forget(f)
	return f, true
}

func (s *spool) load(f spooled) ([]item, error) {
	b, err := os.ReadFile(s.path(f))
	if err != nil {
		return nil, err
	}
	return decodeSpool(b)
}

// forget takes a file off the list; it stays on the disk.
func (s *spool) forget(f spooled) {
	if i := slices.Index(s.files, f); i >= 0 {
		s.files = slices.Delete(s.files, i, i+1)
		s.size -= room(f)
	}
}

func (s *spool) remove(f spooled) {
	if f.number == 0 {
		return // none
	}
	s.forget(f)
	os.Remove(s.path(f))
}

// maxAside is how many damaged files are kept for somebody to look at.
const maxAside = 10

// setAside takes a damaged file out of the way: it is kept under another name.
func (s *spool) setAside(f spooled) {
	s.forget(f)
	if os.Rename(s.path(f), s.path(f)+asideSuffix) != nil {
		os.Remove(s.path(f))
	}
	old, _ := filepath.Glob(filepath.Join(s.dir, "*"+spoolSuffix+asideSuffix)) // in their order
	for len(old) > maxAside {
		os.Remove(old[0])
		old = old[1:]
	}
}

// items is how many records wait.
func (s *spool) items() (n int) {
	for _, f := range s.files {
		n += f.items
	}
	return n
}
