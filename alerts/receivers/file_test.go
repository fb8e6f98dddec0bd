package receivers

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/alerts"
)

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	r := NewFile("", path)
	sends(t, r, []alerts.Alert{sample(1, alerts.Firing), sample(2, alerts.Firing)})
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	sends(t, r, one(alerts.Resolved))
	for name, want := range map[string]int{path + ".1": 2, path: 1} {
		text, err := os.ReadFile(name)
		lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		if err != nil || len(lines) != want {
			t.Fatalf("%s: %d lines, %v", name, len(lines), err)
		}
		for _, line := range lines {
			var a alerts.Alert
			if err := json.Unmarshal([]byte(line), &a); err != nil || a.Rule != "R" {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
	if info, _ := os.Stat(path); info.Mode().Perm()&0o007 != 0 {
		t.Errorf("mode %s", info.Mode())
	}
}

// A line that a full disk or a crash cut is ended before the next one.
func TestFileBrokenLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.json")
	os.WriteFile(path, []byte(`{"time":"20`), 0o600)
	sends(t, NewFile("f", path), one(alerts.Firing))
	text, _ := os.ReadFile(path)
	lines := strings.Split(string(text), "\n")
	if len(lines) != 3 || lines[0] != `{"time":"20` || !json.Valid([]byte(lines[1])) {
		t.Errorf("%q", text)
	}
}

func TestFileFailures(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "no", "file"), "/dev/null"} {
		if how := fails(t, NewFile("f", path)); how.Final {
			t.Errorf("%s: %+v", path, how)
		}
	}
}
