package log

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	asideForm  = "2006-01-02T15-04-05Z"
	gzipSuffix = ".gz"
	newSuffix  = ".new" // of a file that is not whole yet
)

var errEnding = errors.New("the program ends")

// tidy compresses and removes old files in a goroutine of its own, one at a time.
func (f *LogFile) tidy() {
	if !f.o.rotates() {
		return
	}
	now := f.o.Now()
	f.tidied = now
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.again = f.busy; f.busy {
		return
	}
	f.busy = true
	f.tidying.Go(func() {
		for {
			err := f.tidyOnce(now)
			f.mu.Lock()
			if f.untidy = err; errors.Is(err, errEnding) {
				f.untidy = nil
			}
			if f.busy, f.again = f.again, false; !f.busy {
				f.mu.Unlock()
				return
			}
			f.mu.Unlock()
		}
	})
}

func (f *LogFile) tidyOnce(now time.Time) error {
	old, err := f.oldFiles()
	if err != nil {
		return err
	}
	var errs []error
	for i, name := range old {
		if f.o.MaxFiles > 0 && len(old)-i > f.o.MaxFiles || f.o.MaxAge > 0 && now.Sub(f.timeOf(name)) > f.o.MaxAge {
			errs = append(errs, os.Remove(name))
		} else if f.o.Compress && !strings.HasSuffix(name, gzipSuffix) {
			errs = append(errs, f.compress(name))
		}
	}
	return errors.Join(errs...)
}

// oldFiles lists the files that were moved aside, the oldest first. Files that
// others put beside them are none.
func (f *LogFile) oldFiles() (old []string, err error) {
	dir, base := filepath.Split(f.name)
	entries, err := os.ReadDir(filepath.Clean(dir + "."))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := dir + e.Name()
		if !strings.HasPrefix(e.Name(), base+".") || f.timeOf(name).IsZero() || !e.Type().IsRegular() {
			continue
		}
		if strings.HasSuffix(name, newSuffix) {
			os.Remove(name) // a crash cut it; the file that it was made of is still there
			continue
		}
		old = append(old, name)
	}
	slices.SortFunc(old, func(a, b string) int {
		return strings.Compare(strings.TrimSuffix(a, gzipSuffix), strings.TrimSuffix(b, gzipSuffix))
	})
	return old, nil
}

// timeOf reads when a file was moved aside, from its name.
func (f *LogFile) timeOf(name string) time.Time {
	rest := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(name, f.name+"."), newSuffix), gzipSuffix)
	at, err := time.Parse(asideForm, rest[:min(len(rest), len(asideForm))])
	if tail := rest[min(len(rest), len(asideForm)):]; err != nil || tail != "" && (len(tail) != 4 || tail[0] != '-') {
		return time.Time{}
	}
	return at
}

// compress leaves the file or its compressed copy, whole.
func (f *LogFile) compress(name string) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	temporary := name + gzipSuffix + newSuffix
	out, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	z := gzip.NewWriter(out)
	_, err = io.Copy(z, ending{in, f.quit})
	if err = errors.Join(err, z.Close(), out.Sync(), out.Close()); err == nil {
		err = os.Rename(temporary, name+gzipSuffix)
	}
	if err != nil {
		os.Remove(temporary)
		return err
	}
	return os.Remove(name)
}

// ending is a reader that ends with the program.
type ending struct {
	io.Reader
	quit <-chan struct{}
}

func (r ending) Read(p []byte) (int, error) {
	select {
	case <-r.quit:
		return 0, errEnding
	default:
		return r.Reader.Read(p)
	}
}
