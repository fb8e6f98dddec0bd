package mail

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

	// Names are those of the files in a ZIP archive, or in the winmail.dat
	// that Outlook makes, MaxEntries at most.
	Names     []string
	Encrypted bool // an entry of the archive is
}

// addName keeps the name of a file in the file.
func (l *leaf) addName(name string) bool {
	a := l.file()
	if len(a.Names) >= l.found.options.maxEntries() {
		l.found.odd |= entriesLimit
		return false
	}
	short := cutText(name, l.found.options.maxName())
	if len(short) < len(name) {
		l.found.odd |= nameLimit
	}
	a.Names = append(a.Names, short)
	return true
}
