package mail

import (
	"slices"
	"strings"
)

// Attachment is a file that a message carries: a part that calls itself an
// attachment, has a name, or is neither text nor multipart. A forwarded
// message is one, and so are the files in it.
type Attachment struct {
	Filename    string // decoded, MaxName characters at most
	ContentType string // as declared, lower case, without parameters
	Sniffed     string // what its first octets look like; empty where there are none
	Disposition string // lower case
	Charset     string // as declared, lower case
	Size        int64  // octets, decoded; those before the first loss
	SHA256      string // of the decoded octets, hex; empty where some are missing
	Truncated   bool   // octets were lost, or the end did not come
	Forwarded   int    // how many forwarded messages it stands in

	// Names are those of the files in a ZIP, RAR or tar archive, of the file in
	// gzip, or in the winmail.dat that Outlook makes, MaxEntries at most. In a
	// 7z archive the list is compressed, at its end: none shows.
	Names     []string
	Encrypted bool // an entry of the archive is, or its list

	Danger []Danger // why it may harm; empty for most
}

// nameCost is what a name takes beside its octets.
const nameCost = 16

// addName keeps the name of a file in the file. Beyond the limit it is only
// looked at: a hundred harmless names must not hide the next one.
func (l *leaf) addName(name string) {
	a, o := l.file(), l.found.options
	l.judgeName(name, name)
	if len(a.Names) >= o.maxEntries() {
		l.found.odd |= entriesLimit
		return
	}
	short := cutText(name, o.maxName())
	if len(short) < len(name) {
		l.found.odd |= nameLimit
	}
	a.Names = append(a.Names, short)
	l.found.octets += nameCost + len(short)
}

// addEntry is addName for ZIP: once, since the directory repeats the names of
// the entries, of which some tell documents with macros.
func (l *leaf) addEntry(name string) {
	if slices.Contains(l.file().Names, cutText(name, l.found.options.maxName())) {
		return
	}
	if kind := dangerOfEntry(name, l.archive.pack); kind != "" {
		l.file().addDanger(Danger{kind, ByContent, cutText(name, l.found.options.maxName())})
	}
	l.archive.pack = l.archive.pack || len(l.file().Names) == 0 && name == "mimetype"
	l.addName(name)
}

// dangerOfEntry knows where Office keeps macros (MS-OFFMACRO2, 2.1; those of
// Excel 4 are sheets), and OpenDocument, whose first entry is its type.
func dangerOfEntry(name string, openDocument bool) string {
	switch {
	case len(name) >= len("vbaproject.bin") && strings.EqualFold(name[len(name)-len("vbaproject.bin"):], "vbaproject.bin"),
		len(name) > len("xl/macrosheets/") && strings.EqualFold(name[:len("xl/macrosheets/")], "xl/macrosheets/"),
		openDocument && strings.HasPrefix(name, "Basic/") && strings.HasSuffix(name, ".xml") && !strings.HasSuffix(name, "/script-lc.xml") && !strings.HasSuffix(name, "/script-lb.xml"):
		return DangerMacro
	}
	return ""
}
