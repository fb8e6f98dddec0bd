package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

const shownCapture = "testdata/demo.pcap"

func showOf(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, err bytes.Buffer
	status = run(append([]string{"show", shownCapture}, args...), strings.NewReader(""), &out, &err)
	return out.String(), err.String(), status
}

// The list names every session, and each of them can be shown.
func TestShowListsAndShows(t *testing.T) {
	list, stderr, status := showOf(t)
	if status != 0 || stderr != "" {
		t.Fatalf("status %d: %s", status, stderr)
	}
	lines := strings.Split(strings.TrimSpace(list), "\n")
	if len(lines) < 100 || !strings.HasPrefix(lines[0], "SESSION") {
		t.Fatalf("%d lines, the first is %q", len(lines), lines[0])
	}
	var login string
	for _, line := range lines[1:] {
		if strings.Contains(line, "10.20.0.27:587") && strings.HasSuffix(line, "1") {
			login = strings.Fields(line)[0]
		}
	}
	got, stderr, status := showOf(t, "--session", login)
	if status != 0 || stderr != "" {
		t.Fatalf("status %d: %s", status, stderr)
	}
	for _, want := range []string{"session   " + login, "←  220 ", "→  EHLO ", "→  AUTH ", "(its secret is not kept)", "→  MAIL FROM:<", "·  Mail accepted", "→  QUIT"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "\x1b") {
		t.Errorf("colours without a terminal:\n%q", got)
	}
}

func TestShowAsJSON(t *testing.T) {
	list, _, _ := showOf(t, "--format", "json")
	var first struct{ Session, End string }
	if err := json.NewDecoder(strings.NewReader(list)).Decode(&first); err != nil {
		t.Fatal(err)
	}
	one, stderr, status := showOf(t, "--format", "json", "--session", first.Session)
	var view struct {
		Session, End string
		Steps        []map[string]any
	}
	if err := json.Unmarshal([]byte(one), &view); err != nil || status != 0 {
		t.Fatalf("%v, status %d: %s", err, status, stderr)
	}
	if view.Session != first.Session || view.End != first.End || len(view.Steps) < 5 {
		t.Errorf("%+v", view)
	}
}

func TestShowSaysWhatIsNotThere(t *testing.T) {
	list, _, _ := showOf(t, "--format", "json")
	var first struct{ Session, End string }
	if err := json.NewDecoder(strings.NewReader(list)).Decode(&first); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ id, want string }{
		{first.Session[:20], "did you mean " + first.Session + "?"},
		{first.Session[:23] + "x", "did you mean " + first.Session + "?"},
		{"nothing like it", "mailtap show FILE lists them"},
		{"", "mailtap show FILE lists them"},
	} {
		out, stderr, status := showOf(t, "--session", c.id)
		if status != exitFailed || out != "" || !strings.HasSuffix(stderr, c.want+"\n") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: status %d, %q, %q", c.id, status, out, stderr)
		}
	}
	if _, stderr, status := showOf(t, "--format", "xml"); status != exitUsage || !strings.Contains(stderr, "allowed is text, json") {
		t.Errorf("status %d: %s", status, stderr)
	}
}
