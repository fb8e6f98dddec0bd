package mail

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	gomultipart "mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"net/textproto"
	"slices"
	"strings"
	"testing"
)

// randomMessage writes well-formed messages with Go's own writers.
func randomMessage(r *rand.Rand) []byte {
	var b bytes.Buffer
	b.WriteString("From: a@b.test\r\nSubject: x\r\nMIME-Version: 1.0\r\n")
	w := gomultipart.NewWriter(&b)
	fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=%q\r\n\r\npreamble\r\n", w.Boundary())
	randomParts(r, w, 0)
	return b.Bytes()
}

func randomParts(r *rand.Rand, w *gomultipart.Writer, depth int) {
	for i := range 1 + r.IntN(5) {
		header := textproto.MIMEHeader{}
		if depth < 3 && r.IntN(4) == 0 {
			inner := gomultipart.NewWriter(nil)
			header.Set("Content-Type", mime.FormatMediaType("multipart/related", map[string]string{"boundary": inner.Boundary()}))
			part, _ := w.CreatePart(header)
			nested := gomultipart.NewWriter(part)
			nested.SetBoundary(inner.Boundary())
			randomParts(r, nested, depth+1)
			continue
		}
		content := make([]byte, r.IntN(3000))
		for i := range content {
			content[i] = "abc \t=.-\r\n\x00\xffü-"[r.IntN(15)]
		}
		name := []string{"a.txt", "größe " + strings.Repeat("ü", r.IntN(30)) + ".pdf", "a b;c\".zip"}[r.IntN(3)]
		encoding := []string{"base64", "quoted-printable", "8bit"}[r.IntN(3)]
		header.Set("Content-Type", []string{"text/plain; charset=utf-8", "application/pdf", "IMAGE/png"}[r.IntN(3)])
		header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fmt.Sprint(i, name)}))
		header.Set("Content-Transfer-Encoding", encoding)
		part, _ := w.CreatePart(header)
		encode(part, encoding, content)
	}
	w.Close()
}

func encode(w io.Writer, encoding string, content []byte) {
	switch encoding {
	case "base64":
		text := base64.StdEncoding.EncodeToString(content)
		for len(text) > 76 {
			io.WriteString(w, text[:76]+"\r\n")
			text = text[76:]
		}
		io.WriteString(w, text)
	case "quoted-printable":
		q := quotedprintable.NewWriter(w)
		q.Binary = true
		q.Write(content)
		q.Close()
	default:
		w.Write(content)
	}
}

// goFiles reads a message with Go's own readers.
func goFiles(t *testing.T, content []byte) (list []string) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return goParts(t, m.Header.Get("Content-Type"), m.Body)
}

func goParts(t *testing.T, contentType string, body io.Reader) (list []string) {
	t.Helper()
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	r := gomultipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if strings.HasPrefix(kind, "multipart/") {
			list = append(list, goParts(t, p.Header.Get("Content-Type"), p)...)
			continue
		}
		_, params, _ := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
		var decoded io.Reader = p
		switch p.Header.Get("Content-Transfer-Encoding") {
		case "base64":
			decoded = base64.NewDecoder(base64.StdEncoding, p)
		case "quoted-printable":
			decoded = quotedprintable.NewReader(p)
		}
		data, err := io.ReadAll(decoded)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		list = append(list, fmt.Sprint(params["filename"], " ", kind, " ", len(data), " ", hex.EncodeToString(sum[:])))
	}
}

// TestAgainstGo: what Go's readers find in well-formed messages is found,
// however the messages are cut.
func TestAgainstGo(t *testing.T) {
	files := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		content := randomMessage(r)
		want := goFiles(t, content)
		var m Message
		for at := 0; at < len(content); {
			n := min(1+r.IntN(1500), len(content)-at)
			m.Write(content[at : at+n])
			at += n
		}
		m.End()
		var got []string
		for _, a := range m.Attachments() {
			got = append(got, fmt.Sprint(a.Filename, " ", a.ContentType, " ", a.Size, " ", a.SHA256))
		}
		if !slices.Equal(got, want) || len(m.Oddities()) > 0 {
			t.Fatalf("seed %d, %v\n%q, want\n%q", seed, m.Oddities(), got, want)
		}
		files += len(got)
	}
	if files < 300 {
		t.Errorf("only %d files compared", files)
	}
}

// TestAddressesAgainstGo holds addresses against net/mail where it can read
// the list.
func TestAddressesAgainstGo(t *testing.T) {
	for _, c := range addressLists {
		list, err := netmail.ParseAddressList(c.raw)
		if err != nil {
			continue
		}
		for i, a := range list {
			if i >= len(c.want) || strings.ReplaceAll(c.want[i], `"`, "") != strings.ReplaceAll(a.Address, `"`, "") {
				t.Errorf("%q: Go reads %q", c.raw, a.Address)
			}
		}
	}
}
