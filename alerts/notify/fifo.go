package notify

// fifo is a list of notes in their order. Its first one is never gone.
type fifo struct {
	items []*note
	swept int // its length when it was swept last
}

func (f *fifo) first() *note {
	if len(f.items) == 0 {
		return nil
	}
	return f.items[0]
}

// push appends a note. A list that doubled is swept first, so that places in
// its middle that became empty never outnumber those that are taken.
func (f *fifo) push(x *note) {
	if len(f.items) > 64 && len(f.items) > 2*f.swept {
		kept := make([]*note, 0, len(f.items)/2)
		for _, x := range f.items {
			if !x.gone {
				kept = append(kept, x)
			}
		}
		f.items, f.swept = kept, len(kept)
	}
	f.items = append(f.items, x)
}

// trim forgets empty places at the front.
func (f *fifo) trim() {
	for len(f.items) > 0 && f.items[0].gone {
		f.items[0] = nil
		f.items = f.items[1:]
	}
	f.swept = min(f.swept, len(f.items))
}
