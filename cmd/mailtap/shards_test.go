package main

import (
	"path/filepath"
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
	// All at once: one capture in pieces, of which some begin anew.
	all := func(shards string) string {
		_, out, errs := call("", append([]string{"read", "--log.level", "error", "--shards", shards, "--format", "json"}, files...)...)
		return out + errs
	}
	if want := all("1"); all("2") != want {
		t.Error("2 shards give other records of all captures together")
	}
}
