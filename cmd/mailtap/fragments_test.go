package main

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
)

const fragmented = "../../capture/packet/testdata/fragments.pcap"

// Pieces of fragmented packets are not left out: they come with the whole.
func TestReadFragments(t *testing.T) {
	_, report, _ := call("", "read", "--log.level", "warn", fragmented)
	for _, line := range []string{"sessions          3: 2 submission, 1 relay\n  ended by        3 quit\n", "mails             2: 2 accepted\n", "packets left out  2: 2 not_tcp\n"} {
		if !strings.Contains(report, line) {
			t.Errorf("no line %q in\n%s", line, report)
		}
	}
}

// Those that wait when the input ends are counted.
func TestReadFragmentsWithoutEnd(t *testing.T) {
	data, err := os.ReadFile(fragmented)
	if err != nil {
		t.Fatal(err)
	}
	const fileHeader, recordHeader, etherHeader = 24, 16, 14
	end := fileHeader
	for first := false; !first; {
		packet := data[end+recordHeader:]
		first = packet[etherHeader+6]&0x20 != 0 // more fragments
		end += recordHeader + int(binary.LittleEndian.Uint32(data[end+8:]))
	}
	_, report, _ := call(string(data[:end]), "read", "--log.level", "warn", "-")
	if !strings.Contains(report, "1 fragment\n") && !strings.Contains(report, "1 fragment,") {
		t.Errorf("the piece that waits is not counted:\n%s", report)
	}
}
