package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The page comes beside whatever goes to standard output, and says the same.
func TestReadWritesThePage(t *testing.T) {
	for _, format := range readFormats() {
		page := filepath.Join(t.TempDir(), "page.html")
		status, stdout, stderr := call("", "read", "--log.level", "error", "--format", format, "--html", page, shipped("06_auth_login_clear_5fail"))
		if status != 0 || stderr != "" || stdout == "" {
			t.Fatalf("%s: status %d, %s", format, status, stderr)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range []string{"06_auth_login_clear_5fail", "242 packets", "PlaintextCredentials", "10.20.0.27:587", "not_tcp"} {
			if !strings.Contains(string(text), words) {
				t.Errorf("%s: the page does not say %q", format, words)
			}
		}
		if info, err := os.Stat(page); err != nil || info.Mode().Perm()&0o007 != 0 {
			t.Errorf("%v: all the world may read the page (%v)", info.Mode(), err)
		}
	}
}

// Several files are one capture; one that cannot be read is named.
func TestReportOfSeveralFiles(t *testing.T) {
	status, stdout, stderr := call("", "read", "--log.level", "error", shipped("05_auth_plain_clear_success"), "testdata/none.pcap", shipped("06_auth_login_clear_5fail"))
	if status != 1 || !strings.Contains(stderr, "testdata/none.pcap") {
		t.Errorf("status %d, %s", status, stderr)
	}
	for _, words := range []string{"capture           testdata/auth/05_auth_plain_clear_success/capture.pcap, testdata/none.pcap", "not read          testdata/none.pcap: no such file", "sessions          "} {
		if !strings.Contains(stdout, words) {
			t.Errorf("the report does not say %q:\n%s", words, stdout)
		}
	}
}
