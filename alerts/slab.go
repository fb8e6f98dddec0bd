package alerts

// slab holds a value for each of some slots, in pages: it grows without
// copying, and only where a slot was used.
type slab[T any] struct {
	pages []*[slabPage]T
	fresh func(*[slabPage]T) // readies a new page; nil: zero values will do
}

const slabPage = 256

// at is the value of a slot.
func (s *slab[T]) at(slot uint32) *T {
	if p := int(slot / slabPage); p < len(s.pages) && s.pages[p] != nil {
		return &s.pages[p][slot%slabPage]
	}
	return s.grow(slot)
}

// peek is the value of a slot, nil where none was ever used near it.
func (s *slab[T]) peek(slot uint32) *T {
	if p := int(slot / slabPage); p < len(s.pages) && s.pages[p] != nil {
		return &s.pages[p][slot%slabPage]
	}
	return nil
}

func (s *slab[T]) grow(slot uint32) *T {
	p := int(slot / slabPage)
	for len(s.pages) <= p {
		s.pages = append(s.pages, nil)
	}
	s.pages[p] = new([slabPage]T)
	if s.fresh != nil {
		s.fresh(s.pages[p])
	}
	return &s.pages[p][slot%slabPage]
}
