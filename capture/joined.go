package capture

import "errors"

// errAnother says that a capture's header stands where a record must begin.
var errAnother = errors.New("another capture begins")

// beginsCapture judges by the first 16 octets: a pipe may bring no more for a long
// time. As a record they would be a packet of no octets in 2055 or 2083, or one of
// 418 MiB and more; as a block one of somebody's own type, of 32 MiB and more,
// that begins with zeros.
func beginsCapture(b []byte) bool {
	if len(b) < recordHeader {
		return false
	}
	if isPcapng(b) {
		_, ok := sectionOrder(b[8:])
		return ok
	}
	big, _, ok := pcapMagic(b)
	return ok && pcapVersion(big, b) && big.u64(b[8:]) == 0
}

// another goes on with the capture that follows.
func (f *File) another() error {
	f.stream.restart()
	return f.header()
}
