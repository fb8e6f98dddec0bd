package sessions

// events makes the events that are many. They are owned by nobody once they
// are told and die young; so they are made a few at a time, and what nobody kept
// is made anew for the next.
type events struct {
	replied  slab[Replied]
	attempt  slab[Attempt]
	opened   slab[Opened]
	greeted  slab[Greeted]
	secured  slab[Secured]
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
	*p = v
	return p
}

// taken says that what was made last belongs to somebody.
func (s *slab[T]) taken() { s.left = s.left[1:] }

// tell makes an event and pushes it.
func tell[T any, E interface {
	*T
	Event
}](t *Tracker, of *slab[T], v T) {
	if t.parking.muted {
		return
	}
	e := of.make(v)
	t.handler.Handle(E(e))
	if t.keeper == nil || t.keeper.Kept() {
		of.taken()
	}
}
