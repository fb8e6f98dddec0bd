package mail

import "bytes"

// decode makes text of the value of a field that may hold encoded words (RFC
// 2047), as lenient as mail readers are: words need no blanks around them,
// and blanks may stand inside.
func (d *decoder) decode(t *texts, raw []byte) string {
	if !bytes.Contains(raw, []byte("=?")) {
		return t.clean(raw)
	}
	// Behind the last end no word begins: starts without an end must not be
	// followed to the end of the text each.
	end := bytes.LastIndex(raw, []byte("?="))
	at := 0 // what is before has been taken
	for at < end {
		i := bytes.Index(raw[at:end], []byte("=?"))
		if i < 0 {
			break
		}
		word, n := parseWord(raw[at+i:])
		if n == 0 { // no word: its first octets are text
			d.text(raw[at : at+i+2])
			at += i + 2
			continue
		}
		d.text(raw[at : at+i])
		d.word(word)
		at += i + n
	}
	if at == 0 {
		return t.clean(raw)
	}
	d.text(raw[at:])
	d.flushWords()
	d.flushText()
	text := t.add(replaceControls(d.out))
	d.reset()
	return text
}

// encodedWord is =?charset?encoding?text?=.
type encodedWord struct {
	charset  charset
	encoding byte // b or q
	text     []byte
}

// parseWord reads the word that b begins with, and its length; 0 where there
// is none, or its charset is not known: then it stays as it stands.
func parseWord(b []byte) (w encodedWord, n int) {
	name, rest, found := bytes.Cut(b[2:], []byte("?"))
	if !found || len(rest) < 2 || rest[1] != '?' {
		return w, 0
	}
	w.encoding = rest[0] | 0x20
	w.charset = charsetOf(name)
	if w.charset.unknown() || w.encoding != 'b' && w.encoding != 'q' {
		return w, 0
	}
	start := len(b) - len(rest) + 2
	length := bytes.Index(b[start:], []byte("?="))
	if length < 0 {
		return w, 0
	}
	w.text = b[start : start+length]
	return w, start + length + 2
}

// decoder gathers text between words and words between text: neither may be
// converted piece by piece, as a character may be cut. Its memory is used
// again.
type decoder struct {
	out     []byte
	plain   []byte  // text not yet converted
	words   []byte  // decoded words of one charset, not yet converted
	charset charset // of them
	inWords bool    // a word was the last that is no white space
}

// reset empties the decoder and lets go of what a long field made large.
func (d *decoder) reset() {
	if cap(d.out)+cap(d.plain)+cap(d.words) > maxIdle {
		*d = decoder{}
		return
	}
	*d = decoder{out: d.out[:0], plain: d.plain[:0], words: d.words[:0]}
}

func (d *decoder) text(b []byte) {
	d.plain = append(d.plain, b...)
}

// word adds a word. White space between two words does not count (RFC 2047,
// 6.2), and those of one charset are joined first: senders cut characters.
func (d *decoder) word(w encodedWord) {
	if d.inWords && len(bytes.TrimSpace(d.plain)) == 0 {
		d.plain = d.plain[:0]
	} else {
		d.flushWords()
		d.flushText()
	}
	if d.inWords && d.charset.label != w.charset.label {
		d.flushWords()
	}
	d.charset, d.inWords = w.charset, true
	if w.encoding == 'b' {
		d.words = appendBase64(d.words, w.text)
	} else {
		d.words = appendQ(d.words, w.text)
	}
}

func (d *decoder) flushWords() {
	d.out = d.charset.append(d.out, d.words)
	d.words = d.words[:0]
	d.inWords = false
}

func (d *decoder) flushText() {
	d.out = appendUTF8(d.out, d.plain)
	d.plain = d.plain[:0]
}

// appendQ decodes the Q encoding (RFC 2047, 4.2); an escape that is none
// stays.
func appendQ(out, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case c == '_':
			c = ' '
		case c == '=' && i+2 < len(b):
			if high, low := hexDigit(b[i+1]), hexDigit(b[i+2]); high|low < 16 {
				c = high<<4 | low
				i += 2
			}
		}
		out = append(out, c)
	}
	return out
}

// hexDigit is 255 for what is none.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 255
}

// appendBase64 decodes the B encoding (RFC 2047, 4.1), passing over what is
// not of the alphabet; padding ends a group and may be missing.
func appendBase64(out, b []byte) []byte {
	var d base64Decoder
	return d.decode(out, b)
}

func base64Digit(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return 255
}
