package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// peersFolder finds the captures of other monitors' test suites, which stand
// beside the checkout. They are their owners': none of them is kept here.
func peersFolder(t *testing.T) string {
	dir := os.Getenv("MAILTAP_PEERS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "peers")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the captures of other monitors are not here: they belong into ../shared/peers beside the checkout, or MAILTAP_PEERS says where they are")
	}
	return dir
}

// A peer is one capture and what must be told of it; testdata/peers.yaml says
// how to read it.
type peer struct {
	Capture  string
	Note     string
	Ports    map[string][]int
	Sessions []map[string]any
	NoMailOn map[string][]int `yaml:"no_mail_on"`
}

func peers(t *testing.T) []peer {
	t.Helper()
	text, err := os.ReadFile("testdata/peers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all []peer
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPeers(t *testing.T) {
	dir := peersFolder(t)
	for _, p := range peers(t) {
		t.Run(p.Capture, func(t *testing.T) {
			file := filepath.Join(dir, filepath.FromSlash(p.Capture))
			got := sessionsOf(t, file, p.Ports)
			if len(got) != len(p.Sessions) {
				t.Errorf("%d sessions with a dialog, want %d", len(got), len(p.Sessions))
			}
			for i, want := range p.Sessions[:min(len(got), len(p.Sessions))] {
				for _, wrong := range compareSession(want, got[i]) {
					t.Errorf("session %d: %s", i, wrong)
				}
			}
			if p.NoMailOn != nil {
				for _, wrong := range toldAsMail(sessionsOf(t, file, p.NoMailOn)) {
					t.Errorf("with the ports %v: %s", p.NoMailOn, wrong)
				}
			}
			if t.Failed() && p.Note != "" {
				t.Log(p.Note)
			}
		})
	}
}

// TestPeersAreAllThere holds the entries against the folder: no capture is
// forgotten, none stands twice.
func TestPeersAreAllThere(t *testing.T) {
	dir := peersFolder(t)
	named := map[string]int{}
	for _, p := range peers(t) {
		named[p.Capture]++
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".pcap", ".pcapng", ".trace"}, filepath.Ext(path)) {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if n := named[filepath.ToSlash(name)]; n != 1 {
			t.Errorf("%s has %d entries", name, n)
		}
		delete(named, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range named {
		t.Errorf("%s has an entry, but is not there", name)
	}
}

// sessionsOf reads a capture and gives the sessions in which anything was
// said, in order of their start.
func sessionsOf(t *testing.T, file string, ports map[string][]int) []map[string]any {
	t.Helper()
	args := []string{"read", "--format", "json", "--sensor", "test", "--log.records.kinds", "session", "--log.level", "error"}
	if ports != nil {
		value, err := json.Marshal(ports)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, "--capture.ports", string(value))
	}
	status, stdout, stderr := call("", append(args, file)...)
	if status != 0 {
		t.Fatalf("status %d, %s", status, stderr)
	}
	var all []map[string]any
	for line := range strings.Lines(stdout) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		octets, _ := r["bytes"].(map[string]any)
		if octets["client"] != 0. || octets["server"] != 0. {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, byTime)
	return all
}

func byTime(a, b map[string]any) int { return strings.Compare(a["time"].(string), b["time"].(string)) }

// toldAsMail finds what is told of another protocol as if it were SMTP.
func toldAsMail(got []map[string]any) (wrong []string) {
	for _, r := range got {
		silent := r["helo"] == nil && r["commands"] == nil && r["banner"] == nil
		if r["mails"] != nil || r["auth"] != nil || !silent && !slices.Contains(list(r["anomalies"]), any("not_smtp")) {
			wrong = append(wrong, fmt.Sprintf("told as SMTP: helo %v, commands %v, mails %v, anomalies %v", r["helo"], r["commands"], r["mails"], r["anomalies"]))
		}
	}
	return wrong
}

func compareSession(want, got map[string]any) []string {
	want = asJSON(want)
	if mails, ok := got["mails"].([]any); ok {
		slices.SortStableFunc(mails, func(a, b any) int { return byTime(a.(map[string]any), b.(map[string]any)) })
	}
	var wrong []string
	must, may := list(want["anomalies"]), list(want["may"])
	for _, name := range must {
		if !slices.Contains(list(got["anomalies"]), name) {
			wrong = append(wrong, fmt.Sprintf("anomaly %v is not there", name))
		}
	}
	for _, name := range list(got["anomalies"]) {
		if !slices.Contains(must, name) && !slices.Contains(may, name) {
			wrong = append(wrong, fmt.Sprintf("anomaly %v is not on the wire", name))
		}
	}
	if want["partial"] == nil && got["partial"] != nil {
		wrong = append(wrong, fmt.Sprintf("partial, lost %v; the capture is whole", got["lost"]))
	}
	delete(want, "anomalies")
	delete(want, "may")
	return compareObject("", want, got, wrong)
}

// compareObject holds the fields of an object against those expected of it.
func compareObject(at string, want, got map[string]any, wrong []string) []string {
	say := func(field, format string, args ...any) {
		wrong = append(wrong, fmt.Sprintf("%s%s: ", at, field)+fmt.Sprintf(format, args...))
	}
	for field, value := range want {
		switch field {
		case "absent":
			for _, name := range list(value) {
				if have := got[name.(string)]; have != nil {
					say(name.(string), "%s, want none", short(have))
				}
			}
		case "begins":
			for name, begin := range value.(map[string]any) {
				if have, _ := got[name].(string); !strings.HasPrefix(have, begin.(string)) {
					say(name, "%s, want it to begin with %q", short(got[name]), begin)
				}
			}
		case "count":
			for name, n := range value.(map[string]any) {
				if have := len(list(got[name])); float64(have) != n {
					say(name, "%d entries, want %v", have, n)
				}
			}
		case "if_there":
			for name, v := range value.(map[string]any) {
				if have := got[name]; have != nil && !reflect.DeepEqual(have, v) {
					say(name, "%s, want %s or none", short(have), short(v))
				}
			}
		case "recipients":
			if have := recipients(got); !reflect.DeepEqual(have, value) {
				say(field, "%s, want %s", short(have), short(value))
			}
		default:
			wrong = compareValue(at+field, value, got[field], wrong)
		}
	}
	slices.Sort(wrong)
	return wrong
}

func compareValue(at string, want, got any, wrong []string) []string {
	switch want := want.(type) {
	case map[string]any:
		have, _ := got.(map[string]any)
		if at == "commands" || at == "replies" || at == "lost" { // whole, not in part
			break
		}
		return compareObject(at+".", want, have, wrong)
	case []any:
		if _, objects := want[0].(map[string]any); !objects {
			break
		}
		have := list(got)
		if len(have) != len(want) {
			return append(wrong, fmt.Sprintf("%s: %d entries, want %d: %s", at, len(have), len(want), short(got)))
		}
		for i := range want {
			o, _ := have[i].(map[string]any)
			wrong = compareObject(fmt.Sprintf("%s[%d].", at, i), want[i].(map[string]any), o, wrong)
		}
		return wrong
	}
	if !reflect.DeepEqual(got, want) {
		wrong = append(wrong, fmt.Sprintf("%s: %s, want %s", at, short(got), short(want)))
	}
	return wrong
}

// recipients lists all that a mail's record names.
func recipients(mail map[string]any) []any {
	all := slices.Concat(list(mail["to"]), list(mail["unanswered"]))
	for _, r := range list(mail["rejected"]) {
		all = append(all, r.(map[string]any)["to"])
	}
	return all
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// short keeps a value of half a megabyte out of the test's output.
func short(v any) string {
	text, _ := json.Marshal(v)
	if len(text) > 300 {
		return string(text[:300]) + "…"
	}
	return string(text)
}

// asJSON gives what YAML read the types that JSON reads.
func asJSON(v map[string]any) (m map[string]any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		panic(err)
	}
	return m
}
