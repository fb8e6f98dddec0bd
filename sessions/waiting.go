package sessions

// room is memory for the commands of a session that wait for their replies: a
// client waits most of the time for few, and few clients at once.
type room struct {
	octets int // that the commands take which wait, here or elsewhere
	first  [4]command
}

// maxRooms is how many are kept.
const maxRooms = 1024

// rooms are those that nobody uses now.
type rooms struct{ spare []*room }

func (r *rooms) take() *room {
	n := len(r.spare)
	if n == 0 {
		return new(room)
	}
	of := r.spare[n-1]
	r.spare = r.spare[:n-1]
	return of
}

func (r *rooms) put(of *room) {
	if len(r.spare) < maxRooms {
		r.spare = append(r.spare, of)
	}
}

// wait puts a command behind those that wait for their replies.
func (s *session) wait(c command) {
	if len(s.pending) == 0 {
		if s.room == nil {
			s.room = s.f.t.rooms.take()
		}
		s.pending = s.room.first[:0]
	}
	s.room.octets += c.cost()
	all := s.pending
	s.pending = append(all, c)
	if len(all) == cap(all) {
		clear(all) // they are elsewhere now
	}
}

// putBack makes a command the first that waits, again.
func (s *session) putBack(c command) {
	rest := s.pending
	if s.pending = append([]command{c}, rest...); s.room == nil {
		s.room = s.f.t.rooms.take()
	}
	s.room.octets += c.cost()
	clear(rest)
}

// shift takes the first command that waits.
func (s *session) shift() command {
	c := s.pending[0]
	s.room.octets -= c.cost()
	s.pending[0] = command{} // append moves the rest now and then, not each reply
	if s.pending = s.pending[1:]; len(s.pending) == 0 {
		s.leaveRoom()
	}
	return c
}

// forget drops the commands that wait.
func (s *session) forget() {
	clear(s.pending)
	s.leaveRoom()
}

// leaveRoom gives the memory back: no command waits.
func (s *session) leaveRoom() {
	s.pending = nil
	if s.room != nil {
		s.room.octets = 0
		s.f.t.rooms.put(s.room)
		s.room = nil
	}
}
