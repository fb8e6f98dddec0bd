package sessions

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/mailtap/mailtap/decode/smtp"
)

// texts remembers what servers say: a few replies make up nearly all, and each
// is made a string once. What it forgets is made anew, so it holds no state.
type texts struct {
	words   [256]string
	replies [256]replyText
	offers  [64]offer
	codes   [600]string
}

// replyText is what a reply's lines say as text.
type replyText struct{ lines, text string }

// offer is the list of extensions that stands in the lines of a reply to EHLO.
type offer struct {
	lines string
	words []string
}

// code returns a reply code as text.
func (t *texts) code(n uint32) string {
	if n >= uint32(len(t.codes)) {
		return strconv.Itoa(int(n))
	}
	if t.codes[n] == "" {
		t.codes[n] = strconv.Itoa(int(n))
	}
	return t.codes[n]
}

// maxText bounds what is remembered: longer texts are rare and seldom the same.
const maxText = 128

// maxOffer bounds the lines of an offer.
const maxOffer = 1024

// word returns b as a string.
func (t *texts) word(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > maxText {
		return string(b)
	}
	w := &t.words[mixText(b)%uint64(len(t.words))]
	if *w != string(b) {
		*w = string(b)
	}
	return *w
}

// reply returns the text of a reply, at most max characters.
func (t *texts) reply(r *smtp.Reply, max int) string {
	if len(r.Lines) > maxText || len(r.Lines) > max {
		return r.Text(max)
	}
	e := &t.replies[(mixText(r.Lines)+uint64(r.Code))%uint64(len(t.replies))]
	if e.lines == string(r.Lines) && e.lines != "" {
		return e.text
	}
	text := r.Text(max)
	if text == string(r.Lines) {
		*e = replyText{text, text}
	} else {
		*e = replyText{string(r.Lines), text}
	}
	return text
}

// offer returns the extensions of EHLO's reply: its lines, without the first
// where that is the server's greeting.
func (t *texts) offer(lines []byte, headless bool) []string {
	if !headless {
		at := bytes.IndexByte(lines, '\n')
		if at < 0 {
			return nil
		}
		lines = lines[at+1:]
	}
	if len(lines) > maxOffer {
		return extensions(lines)
	}
	o := &t.offers[mixText(lines)%uint64(len(t.offers))]
	if o.lines != string(lines) {
		*o = offer{string(lines), extensions(lines)}
	}
	return o.words[:len(o.words):len(o.words)]
}

func extensions(lines []byte) []string {
	var all []string
	for line := range bytes.SplitSeq(lines, []byte{'\n'}) {
		if word := strings.ToUpper(strings.Join(strings.Fields(smtp.Text(line, 256)), " ")); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// mixText hashes the length and both ends: enough to spread what servers say.
func mixText(b []byte) uint64 {
	h := uint64(len(b))
	if len(b) < 8 {
		for _, c := range b {
			h = h<<7 ^ h>>57 ^ uint64(c)
		}
		return mix(h, 0x9e3779b97f4a7c15)
	}
	return mix(binary.LittleEndian.Uint64(b)^h, binary.LittleEndian.Uint64(b[len(b)-8:])^0x9e3779b97f4a7c15)
}
