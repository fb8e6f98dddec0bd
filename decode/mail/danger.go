package mail

import (
	"strings"
	"unicode/utf8"
)

// Danger is a reason why a file may harm who opens it. Nothing is opened to
// find one: names tell, the first octets, and the listing of an archive.
type Danger struct {
	Kind string // one of the Danger… names
	By   string // ByName or ByContent
	// File is whose name or content it is: an entry of the archive, or
	// another name that the part gives itself. Empty for the attachment's own.
	File string
}

// Kinds of danger.
const (
	DangerExecutable = "executable" // a program, or a package that installs one
	DangerScript     = "script"     // text that an interpreter runs
	DangerMacro      = "macro"      // a document that holds a program
	DangerShortcut   = "shortcut"   // a file that starts something elsewhere
	// DangerDiskImage is a volume that a double click mounts: what is in it
	// lacks the mark of files from outside, and scanners do not look in
	// (T1553.005).
	DangerDiskImage = "disk_image"
	// DangerDisguised comes beside another: the name hides what the file is,
	// by a second extension, blanks or a turned direction of writing, or the
	// content is no document although the name says so (T1036.007, T1036.002).
	DangerDisguised = "disguised"
)

// How a danger shows.
const (
	ByName    = "name"
	ByContent = "content"
)

// addDanger keeps a danger unless one of its kind shows in the same way: the
// first entry of an archive stands for all, so the list is short.
func (a *Attachment) addDanger(d Danger) {
	for i := range a.Danger {
		if x := &a.Danger[i]; x.Kind == d.Kind && x.By == d.By && (x.File == "") == (d.File == "") {
			return
		}
	}
	a.Danger = append(a.Danger, d)
}

// judgeNames looks at all names that a part gives itself: mail readers differ
// in which they take.
func (l *leaf) judgeNames(d *description) {
	l.judgeName(d.filename, "")
	for _, name := range d.otherNames {
		l.judgeName(name, name)
	}
}

// judgeName looks at a name; file is empty for the attachment's own.
func (l *leaf) judgeName(name, file string) {
	name = trimName(name)
	rest, ext := cutExtension(name)
	kind := dangerOfExtension(ext)
	switch {
	case ext == "com" && strings.HasPrefix(l.file().ContentType, "message/"):
		return // a subject that ends with a domain, not a program of DOS
	case kind == "" && strings.Contains(name, ".app/Contents/MacOS/"):
		kind = DangerExecutable // a program of macOS is a folder
	case kind == "":
		return
	}
	file = cutText(file, l.found.options.maxName())
	l.file().addDanger(Danger{kind, ByName, file})
	_, before := cutExtension(strings.TrimRight(rest, " .\u00a0"))
	if isDocument(before) || strings.ContainsAny(rest, "\u202a\u202b\u202d\u202e\u2066\u2067\u2068") {
		l.file().addDanger(Danger{DangerDisguised, ByName, file})
	}
}

// judgeContent looks at the first octets.
func (l *leaf) judgeContent() {
	kind := dangerOfContent(l.head)
	if kind == "" {
		return
	}
	l.file().addDanger(Danger{kind, ByContent, ""})
	if _, ext := cutExtension(trimName(l.file().Filename)); isDocument(ext) {
		l.file().addDanger(Danger{DangerDisguised, ByContent, ""})
	}
}

// trimName takes off what Windows does not keep of a name: dots and blanks at
// its end, the name of its main stream. Controls became U+FFFD.
func trimName(name string) string {
	if n := len(name); n > 0 && name[n-1] > ' ' && name[n-1] < utf8.RuneSelf && name[n-1] != '.' && name[n-1]|0x20 != 'a' {
		return name
	}
	const stream = "::$data"
	if n := len(name) - len(stream); n > 0 && strings.EqualFold(name[n:], stream) {
		name = name[:n]
	}
	return strings.TrimRight(name, " .\u00a0\ufffd\u200b\u200c\u200d\u200e\u200f\u202c\u2069\ufeff")
}

// longestExtension is that of searchconnector-ms.
const longestExtension = 18

// cutExtension takes what is behind the last dot of a path's last name off, in
// lower case. Empty is what is no extension.
func cutExtension(name string) (rest, ext string) {
	i := strings.LastIndexByte(name, '.')
	if i < 0 || len(name)-i-1 > longestExtension || i == len(name)-1 {
		return name, ""
	}
	lower := true
	for j := i + 1; j < len(name); j++ {
		switch c := name[j]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_':
		case 'A' <= c && c <= 'Z':
			lower = false
		default:
			return name, ""
		}
	}
	if ext = name[i+1:]; !lower {
		ext = strings.ToLower(ext)
	}
	return name[:i], ext
}
