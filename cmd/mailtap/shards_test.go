package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestShards reads captures with several shards: records and alerts are the
// same, in the same order.
func TestShards(t *testing.T) {
	files := []string{"testdata/demo.pcap"}
	corpus, _ := filepath.Glob("../../../shared/corpus/*/*.pcap*")
	files = append(files, corpus...)
	for _, file := range files {
		read := func(shards string) string {
			_, out, errs := call("", "read", "--log.level", "error", "--shards", shards, "--home.domains", "corp.test", "--format", "json", file)
			return out + errs
		}
		want := read("1")
		if got := read("3"); got != want {
			t.Errorf("%s: 3 shards give\n%s\nwant\n%s", file, got, want)
		}
	}
	for _, format := range readFormats() {
		read := func(shards string) string {
			_, out, errs := call("", "read", "--log.level", "error", "--shards", shards, "--format", format, files[0])
			return out + errs
		}
		if want := read("1"); read("3") != want || want == "" {
			t.Errorf("3 shards give another %s, or there is none", format)
		}
	}
	// All at once: one capture in pieces, of which some begin anew.
	all := func(shards string) string {
		_, out, errs := call("", append([]string{"read", "--log.level", "error", "--shards", shards, "--format", "json"}, files...)...)
		return out + errs
	}
	want := all("1")
	for _, shards := range []string{"2", "7", "16"} {
		if all(shards) != want {
			t.Errorf("%s shards give other records of all captures together", shards)
		}
	}
}

// TestShardsOfManySessions reads generated captures of thousands of sessions at
// once, clean and damaged: records, alerts and reports are the same for any
// number of shards.
func TestShardsOfManySessions(t *testing.T) {
	const source = "../../../shared/bench/gen"
	if _, err := os.Stat(source); err != nil {
		t.Skip("needs a generator of captures in ../shared/bench/gen")
	}
	dir := t.TempDir()
	generator := filepath.Join(dir, "gen")
	build := exec.Command("go", "build", "-o", generator, ".")
	build.Dir = source
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	for name, flags := range map[string]string{
		"mixed": "-size 12MiB -concurrent 500 -vlan .1 -qinq .1 -gso .1",
		"small": "-profile small -size 8MiB -concurrent 1000",
		"dirty": "-profile small -size 8MiB -concurrent 500 -loss .01 -reorder .05 -retrans .05 -overlap .02 -midstream .1 -rst .1",
		"many":  "-sessions 2000 -concurrent 2000 -median 600 -sigma .1 -mails-mean 1.01",
	} {
		file := filepath.Join(dir, name+".pcap")
		args := append(strings.Fields(flags), "-seed", "31", "-o", file, "-truth", file+".json")
		if out, err := exec.Command(generator, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		for _, format := range []string{"json", "text"} {
			read := func(shards string) string {
				_, out, errs := call("", "read", "--log.level", "error", "--sensor", "test", "--shards", shards, "--format", format, file)
				return out + errs
			}
			want := read("1")
			for _, shards := range []string{"2", "3", "7", "16"} {
				if got := read(shards); got != want {
					t.Errorf("%s: %s shards: %s", name, shards, firstOther(got, want))
				}
			}
		}
	}
}
