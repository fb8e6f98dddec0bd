package mail

// scratch is memory in which the fields of one header after the other are
// taken apart.
type scratch struct {
	texts []string // of several lists, behind each other
	ends  []int    // of the lists
	words []piece
}

const maxScratch = 256 // elements that are kept

func (s *scratch) endList() { s.ends = append(s.ends, len(s.texts)) }

// lists tells the lists, in one allocation.
func (s *scratch) lists(into ...*[]string) {
	all := append([]string(nil), s.texts...)
	from := 0
	for i, end := range s.ends {
		if end > from {
			*into[i] = all[from:end:end]
		}
		from = end
	}
}

// reset lets go of what was told, and of what an odd header made large.
func (s *scratch) reset() {
	if cap(s.texts)+cap(s.words) > maxScratch {
		*s = scratch{}
		return
	}
	clear(s.texts)
	clear(s.words[:cap(s.words)])
	s.texts, s.ends, s.words = s.texts[:0], s.ends[:0], s.words[:0]
}
