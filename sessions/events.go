package sessions

// events makes the events that are many. They are owned by nobody once they
// are told and die young; so they are made a few at a time.
type events struct {
	replied  slab[Replied]
	attempt  slab[Attempt]
	opened   slab[Opened]
	greeted  slab[Greeted]
	mailDone slab[MailDone]
	closed   slab[Closed]
}

// slab hands out values that were allocated together. One that is kept keeps
// the others too.
type slab[T any] struct{ left []T }

// slabSize is how many values are allocated together.
const slabSize = 32

func (s *slab[T]) make(v T) *T {
	if len(s.left) == 0 {
		s.left = make([]T, slabSize)
	}
	p := &s.left[0]
	s.left = s.left[1:]
	*p = v
	return p
}
