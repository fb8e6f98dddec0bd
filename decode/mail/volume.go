package mail

// volumeReader knows a CD's image by the first descriptor of its volume, which
// stands behind 16 sectors (ECMA-119, 8.1; ECMA-167, 2/9.1).
type volumeReader struct {
	mark [5]byte
	have int
}

const volumeMark = 16*2048 + 1

func (v *volumeReader) reset() { v.have = 0 }

// write takes octets of which the first stands at a place of the file.
func (v *volumeReader) write(l *leaf, b []byte, at int64) {
	if at > volumeMark+int64(len(v.mark)) || at+int64(len(b)) <= volumeMark || v.have == len(v.mark) {
		return
	}
	v.have += copy(v.mark[v.have:], b[max(0, volumeMark-at):])
	if mark := string(v.mark[:v.have]); mark == "CD001" || mark == "BEA01" {
		l.file().addDanger(Danger{DangerDiskImage, ByContent, ""})
	}
}
