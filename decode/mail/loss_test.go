package mail

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestGapAnywhere loses octets of each message at each place, few and many.
// What is told of it is true of the whole message: no file is made up, none
// has the hash of another content, and only one with a hole lacks its own.
func TestGapAnywhere(t *testing.T) {
	for _, c := range messages {
		content := crlf(c.content)
		var whole, m Message
		readIn(&whole, content, len(content)+1)
		for _, size := range []int{1, 2, 7, 40, 150} {
			for at := 0; at+size <= len(content); at++ {
				m.Reset()
				m.Write([]byte(content[:at]))
				m.Lost(int64(size))
				m.Write([]byte(content[at+size:]))
				m.End()
				if err := isSubset(m.Attachments(), whole.Attachments()); err != nil {
					t.Fatalf("%s, %d octets lost at %d: %v", c.name, size, at, err)
				}
				for _, odd := range m.Oddities() {
					if !slices.Contains(whole.Oddities(), odd) {
						t.Fatalf("%s, %d octets lost at %d: %s", c.name, size, at, odd)
					}
				}
			}
		}
	}
}

func isSubset(got, whole []Attachment) error {
	i := 0
	for _, a := range got {
		for i < len(whole) && !agree(a, whole[i]) {
			i++
		}
		if i == len(whole) {
			return fmt.Errorf("%+v is not among %+v", a, whole)
		}
		i++
	}
	return nil
}

func agree(a, whole Attachment) bool {
	if a.Filename != whole.Filename || a.ContentType != whole.ContentType || a.Size > whole.Size {
		return false
	}
	if a.Truncated {
		return a.SHA256 == ""
	}
	return a.SHA256 == whole.SHA256 && a.Size == whole.Size
}

func TestPartsBehindAGap(t *testing.T) {
	first, second := named("filename=a", "0123456789"), named("filename=b", "x")
	inner := "Content-Type: message/rfc822\n\n" + mixed(first, second)
	encoded := mixed("Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n" + base64.StdEncoding.EncodeToString([]byte(mixed(first, second))))
	inside := strings.Index(encoded, "base64\n\n") + len("base64\n\n") + 120 // of the first file's header
	for _, c := range []struct{ name, before, behind, want string }{
		{"in the header of a file", "Content-Type: application/pdf; name=a\nX: y", "\n\nx", ""},
		{"in a forwarded message in base64", encoded[:inside], encoded[inside+4:], "\"\" message/rfc822 90 truncated\n"},
		{"in a file", mixed(first)[:len(mixed(first))-20], "89\n--b\n" + second + "\n--b--\n",
			"\"a\" text/plain 6 attachment truncated\n\"b\" text/plain 1 attachment " + shortHash("x") + "\n"},
		{"before what looks like a delimiter", mixed(first)[:len(mixed(first))-20], "--b\n" + second + "\n--b--\n", "\"a\" text/plain 6 attachment truncated\n"},
		{"in a part's header", "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Disposition: attachment; file", "name=c\n\nx\n--b\n" + second + "\n--b--\n",
			"\"b\" text/plain 1 attachment " + shortHash("x") + "\n"},
		{"in the message's header", "Content-Type: multipart/mixed; boundary=b\nSubject: x", "y\n\n--b\n" + second + "\n--b--\n",
			"\"b\" text/plain 1 attachment " + shortHash("x") + "\n"},
		{"in the boundary", "Content-Type: multipart/mixed; bound", "ary=b\n\n--b\n" + second + "\n--b--\n", ""},
		{"in a forwarded message", inner[:len(inner)-len("0123456789\n--b\n"+second+"\n--b--\nepilogue\n")], "9\n--b\n" + second + "\n--b--\nepilogue\n",
			"\"\" message/rfc822 107 truncated\n\"a\" text/plain 0 attachment truncated forwarded=1\n\"b\" text/plain 1 attachment " + shortHash("x") + " forwarded=1\n"},
	} {
		var m Message
		m.Write([]byte(crlf(c.before)))
		m.Lost(3)
		m.Write([]byte(crlf(c.behind)))
		m.End()
		if got := tell(&m); got != c.want {
			t.Errorf("%s\n%swant\n%s", c.name, got, c.want)
		}
	}
}

func TestHeaderDone(t *testing.T) {
	var m Message
	m.Write([]byte("Subject: x\r\n\r"))
	if m.HeaderDone() {
		t.Error("done before the empty line")
	}
	if m.Write([]byte("\n")); !m.HeaderDone() || m.Fields().Subject != "x" {
		t.Error("not done")
	}
	if m.Reset(); m.HeaderDone() || m.Fields().Subject != "" {
		t.Error("not empty")
	}
}

// TestGapInRandomMessages does so with messages that use each boundary once:
// where a closing delimiter is lost, one of the same boundary behind it counts.
func TestGapInRandomMessages(t *testing.T) {
	whole, cut := 0, 0
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 3))
		content := string(randomMessage(r))
		var all, m Message
		readIn(&all, content, len(content)+1)
		for range 20 {
			at := r.IntN(len(content))
			size := min(1+r.IntN(2000), len(content)-at)
			m.Reset()
			m.Write([]byte(content[:at]))
			m.Lost(int64(size))
			m.Write([]byte(content[at+size:]))
			m.End()
			if err := isSubset(m.Attachments(), all.Attachments()); err != nil {
				t.Fatalf("seed %d, %d octets lost at %d: %v", seed, size, at, err)
			}
			for _, a := range m.Attachments() {
				if a.Truncated {
					cut++
				} else {
					whole++
				}
			}
		}
	}
	if whole < 1000 || cut < 500 {
		t.Errorf("only %d whole files and %d cut ones", whole, cut)
	}
}
