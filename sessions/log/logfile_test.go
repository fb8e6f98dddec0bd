package log

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func openTestFile(t *testing.T, o RotateOptions) (*LogFile, string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "records.json")
	f, err := OpenLogFile(name, o)
	if err != nil {
		t.Fatal(err)
	}
	return f, name
}

func put(t *testing.T, f *LogFile, text string) {
	t.Helper()
	if n, err := f.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("%d octets written, %v", n, err)
	}
}

// files gives what is in each file of the folder, unpacked.
func files(t *testing.T, name string) (all []string) {
	t.Helper()
	names, err := filepath.Glob(name + "*")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, n := range names {
		in, err := os.Open(n)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		var r io.Reader = in
		if strings.HasSuffix(n, ".gz") {
			if r, err = gzip.NewReader(in); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, strings.TrimPrefix(n, name)+"="+string(text))
	}
	return all
}

func expectFiles(t *testing.T, name string, want ...string) {
	t.Helper()
	if got := files(t, name); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestRotationBySize(t *testing.T) {
	c := clock{start}
	f, name := openTestFile(t, RotateOptions{Size: 10, Now: c.now})
	for i := range 4 {
		put(t, f, fmt.Sprintf("line %d\n", i))
		c.at = c.at.Add(time.Second / 4) // two in one second have two names
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	expectFiles(t, name, "=line 3\n", ".2026-03-09T08-07-06Z=line 0\n", ".2026-03-09T08-07-06Z-001=line 1\n", ".2026-03-09T08-07-06Z-002=line 2\n")
	if info, _ := os.Stat(name); info.Mode().Perm() != 0o640 {
		t.Errorf("the file's mode is %v", info.Mode())
	}
}

func TestRotationByTime(t *testing.T) {
	c := clock{start}
	f, name := openTestFile(t, RotateOptions{Every: 24 * time.Hour, Now: c.now})
	put(t, f, "monday\n")
	c.at = time.Date(2026, 3, 9, 23, 59, 59, 0, time.UTC)
	_ = f.Tend()
	put(t, f, "still monday\n")
	c.at = c.at.Add(time.Second)
	if err := f.Tend(); err != nil { // also where nothing is written
		t.Error(err)
	}
	put(t, f, "tuesday\n")
	_ = f.Close()
	if err := os.Chtimes(name, c.at, c.at); err != nil { // the file's time, not the program's
		t.Fatal(err)
	}
	c.at = c.at.Add(48 * time.Hour)
	f, err := OpenLogFile(name, f.o)
	if err != nil {
		t.Fatal(err)
	}
	put(t, f, "thursday\n")
	_ = f.Close()
	expectFiles(t, name, "=thursday\n", ".2026-03-10T00-00-00Z=monday\nstill monday\n", ".2026-03-12T00-00-00Z=tuesday\n")
}

func TestOldFilesAreBoundedAndCompressed(t *testing.T) {
	c := clock{start}
	f, name := openTestFile(t, RotateOptions{Size: 1, MaxFiles: 3, MaxAge: time.Hour, Compress: true, Now: c.now})
	for _, other := range []string{".bak", ".2026-03-09", ".2020-01-01T00-00-00Z.txt"} { // somebody else's
		if err := os.WriteFile(name+other, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 6 {
		put(t, f, fmt.Sprintf("%d\n", i))
		f.tidying.Wait()
		c.at = c.at.Add(25 * time.Minute)
	}
	_ = f.Close()
	expectFiles(t, name, "=5\n", ".2020-01-01T00-00-00Z.txt=", ".2026-03-09=", ".2026-03-09T09-22-06Z.gz=2\n", ".2026-03-09T09-47-06Z.gz=3\n", ".2026-03-09T10-12-06Z.gz=4\n", ".bak=")
}

func TestFileThatCannotBeMovedIsWrittenToAllTheSame(t *testing.T) {
	c := clock{start}
	f, name := openTestFile(t, RotateOptions{Size: 5, Now: c.now})
	put(t, f, "one\n")
	dir := filepath.Dir(name)
	f.tidying.Wait()
	if err := os.Rename(dir, dir+"-away"); err != nil { // the rename fails, as in a folder without permission
		t.Fatal(err)
	}
	put(t, f, "two\n")
	put(t, f, "three\n")
	if err := f.Tend(); err == nil {
		t.Error("nothing is said")
	}
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	put(t, f, "four\n") // not tried with every write
	c.at = c.at.Add(time.Minute)
	put(t, f, "five\n")
	f.tidying.Wait()
	if err := f.Tend(); err != nil {
		t.Error(err)
	}
	_ = f.Close()
	expectFiles(t, name, "=five\n", ".2026-03-09T08-08-06Z=one\ntwo\nthree\nfour\n")
}

func TestReopenAfterLogrotate(t *testing.T) {
	f, name := openTestFile(t, RotateOptions{})
	sink := NewFile(f, FileOptions{Queue: 1000})
	sink.Write(Record{Line: []byte("one")})
	_ = sink.Flush()
	await(t, func() bool { return sink.Counts().Written == 1 })
	if err := os.Rename(name, name+".1"); err != nil {
		t.Fatal(err)
	}
	sink.Write(Record{Line: []byte("two")}) // on its way when the signal comes
	sink.Reopen()
	await(t, func() bool { return exists(name) })
	sink.Write(Record{Line: []byte("three")})
	if err := sink.Close(context.Background()); err != nil {
		t.Error(err)
	}
	expectFiles(t, name, "=three\n", ".1=one\ntwo\n")
}

func TestFileThatEndsInsideALine(t *testing.T) {
	name := filepath.Join(t.TempDir(), "records.json")
	if err := os.WriteFile(name, []byte("one\ntw"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		f, err := OpenLogFile(name, RotateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		put(t, f, "three\n")
		_ = f.Close()
	}
	expectFiles(t, name, "=one\ntw\nthree\nthree\n")
}

func TestCompressionThatWasCutIsDoneAgain(t *testing.T) {
	f, name := openTestFile(t, RotateOptions{})
	_ = f.Close()
	old := name + ".2026-03-09T08-07-06Z"
	for n, text := range map[string]string{old: "old\n", old + ".gz.new": "half"} {
		if err := os.WriteFile(n, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	f, err := OpenLogFile(name, RotateOptions{Size: 100, Compress: true})
	if err != nil {
		t.Fatal(err)
	}
	f.tidying.Wait()
	_ = f.Close()
	expectFiles(t, name, "=", ".2026-03-09T08-07-06Z.gz=old\n")
}

// A device is written to and never moved.
func TestDeviceIsNotRotated(t *testing.T) {
	f, err := OpenLogFile(os.DevNull, RotateOptions{Size: 1, Every: time.Second})
	if err != nil {
		t.Skip(err)
	}
	put(t, f, "a line\n")
	put(t, f, "a line\n")
	if err := f.Reopen(); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
