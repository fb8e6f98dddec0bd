package log

import (
	"bytes"
	"net/netip"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// zeekTable reads a log as Zeek's own readers do: the head says how.
type zeekTable struct {
	fields, types []string
	rows          []map[string]string // as they stand, escaped
}

func parseZeek(t *testing.T, text string) zeekTable {
	t.Helper()
	var z zeekTable
	head := map[string]string{}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if !strings.HasPrefix(line, "#") {
			values := strings.Split(line, "\t")
			if len(values) != len(z.fields) {
				t.Fatalf("%d values, want %d: %q", len(values), len(z.fields), line)
			}
			row := map[string]string{}
			for i, v := range values {
				row[z.fields[i]] = v
				checkZeekValue(t, z.fields[i], z.types[i], v)
			}
			z.rows = append(z.rows, row)
			continue
		}
		key, rest, _ := strings.Cut(line[1:], "\t")
		if s, ok := strings.CutPrefix(line, "#separator "); ok {
			key, rest = "separator", s
		}
		head[key] = rest
		switch key {
		case "fields":
			z.fields = strings.Split(rest, "\t")
		case "types":
			z.types = strings.Split(rest, "\t")
		}
	}
	for key, want := range map[string]string{"separator": `\x09`, "set_separator": ",", "empty_field": "(empty)", "unset_field": "-", "path": "smtp"} {
		if head[key] != want {
			t.Errorf("#%s is %q, want %q", key, head[key], want)
		}
	}
	for _, key := range []string{"open", "close"} {
		if !regexp.MustCompile(`^\d{4}(-\d\d){5}$`).MatchString(head[key]) {
			t.Errorf("#%s is %q", key, head[key])
		}
	}
	if len(z.fields) != len(z.types) || strings.Join(z.fields[:7], " ") != "ts uid id.orig_h id.orig_p id.resp_h id.resp_p trans_depth" {
		t.Errorf("fields %v, types %v", z.fields, z.types)
	}
	return z
}

func checkZeekValue(t *testing.T, field, kind, v string) {
	t.Helper()
	if v == "" {
		t.Errorf("%s is an empty value", field)
	}
	if v == "-" || v == "(empty)" {
		return
	}
	var err error
	switch kind {
	case "time":
		if !regexp.MustCompile(`^-?\d+\.\d{6}$`).MatchString(v) {
			t.Errorf("%s: %q is no time", field, v)
		}
	case "port", "count":
		_, err = strconv.ParseUint(v, 10, 64)
	case "bool":
		if v != "T" && v != "F" {
			t.Errorf("%s: %q is no bool", field, v)
		}
	case "addr":
		_, err = netip.ParseAddr(v)
	case "vector[addr]":
		for one := range strings.SplitSeq(v, ",") {
			if _, e := netip.ParseAddr(one); e != nil {
				err = e
			}
		}
	}
	if err != nil {
		t.Errorf("%s: %q is no %s: %v", field, v, kind, err)
	}
	for _, c := range v {
		if c < ' ' || c == 0x7f {
			t.Errorf("%s holds the control %q", field, c)
		}
	}
}

// unescapeZeek undoes \xHH.
func unescapeZeek(s string) string {
	return regexp.MustCompile(`\\x[0-9a-f]{2}`).ReplaceAllStringFunc(s, func(e string) string {
		n, _ := strconv.ParseUint(e[2:], 16, 8)
		return string([]byte{byte(n)})
	})
}

func TestZeekReadsBack(t *testing.T) {
	z := parseZeek(t, string(written(t, FormatZeek, everyExample)))
	if len(z.rows) != 4 { // three mails, and the session that only tried to log in
		t.Fatalf("%d rows: %q", len(z.rows), z.rows)
	}
	rich, hostile, bare, logins := z.rows[0], z.rows[1], z.rows[2], z.rows[3]
	for field, want := range map[string]string{
		"ts": "1773043628.000005", "uid": "S1", "id.orig_h": "192.0.2.7", "id.orig_p": "34844", "id.resp_h": "2001:db8::25", "id.resp_p": "25",
		"trans_depth": "2", "helo": "client.test", "mailfrom": "(empty)", "rcptto": "alice@corp.test,bob@corp.test,ghost@corp.test,late@corp.test",
		"from": "Alice <alice@corp.test>", "reply_to": "reply@corp.test", "msg_id": "<1@corp.test>", "x_originating_ip": "192.0.2.9",
		"first_received": "from client.test ([192.0.2.7]) by mx1 with ESMTP; Mon, 09 Mar 2026 08:07:06 +0000", "second_received": "-",
		"last_reply": "250 Ok: queued as 4F1", "path": "2001:db8::25,192.0.2.7", "user_agent": "swaks", "tls": "T", "fuids": "-", "is_webmail": "-",
	} {
		if rich[field] != want {
			t.Errorf("%s is %q, want %q", field, rich[field], want)
		}
	}
	for field, want := range map[string]string{
		"mailfrom": "a\tb@x", "subject": "-", "last_reply": "250 no\nsuch \x1b[2J user",
	} {
		if got := unescapeZeek(hostile[field]); got != want || hostile[field] == "-" {
			t.Errorf("%s is %q: %q, want %q", field, hostile[field], got, want)
		}
	}
	if got := strings.Split(hostile["rcptto"], ","); len(got) != 7 || unescapeZeek(got[0]) != "-" || unescapeZeek(got[1]) != "a,b@x" || got[2] != "(empty)" || unescapeZeek(got[3]) != "\xff@x" {
		t.Errorf("rcptto is %q", got)
	}
	if got := hostile["to"]; unescapeZeek(got) != `"Doe, Jane" <jane@x>,(a, b) c@x,<d,e@x>` || strings.Count(got, ",") != 2 {
		t.Errorf("to is %q", got)
	}
	if bare["mailfrom"] != "-" || bare["id.orig_h"] != "-" || bare["last_reply"] != "-" || bare["path"] != "-" {
		t.Errorf("the least is %q", bare)
	}
	if logins["mailfrom"] != "-" || logins["last_reply"] != "535 5.7.8" || logins["helo"] != "client.test" || logins["tls"] != "T" {
		t.Errorf("the logins are %q", logins)
	}
}

// The golden file's conversations can be read back too.
func TestZeekGoldenReadsBack(t *testing.T) {
	text, err := os.ReadFile("testdata/formats/zeek.golden")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for part := range bytes.SplitSeq(text, []byte("== ")) {
		_, log, _ := strings.Cut(string(part), "\n")
		if log != "" {
			rows += len(parseZeek(t, log).rows)
		}
	}
	if rows < 40 {
		t.Errorf("only %d rows", rows)
	}
}
