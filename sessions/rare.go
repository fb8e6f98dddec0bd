package sessions

// rare is what few sessions have of their dialog. A session that has none of it
// shares its tracker's, in which nothing but nothing is ever written: what writes
// more asks for an own one first.
type rare struct {
	kinds     []string   // of anomalies, each once
	origin    *Origin    // whom a proxy told of
	outer     *outer     // the protocol of a proxy before SMTP
	auth      *authState // the exchange that is under way
	auths     []Auth     // those that ended
	login     string     // the user name of the login that succeeded
	security  *TLS       // what TLS told
	fork      forkState
	head      [2]head  // first octets of a side, until they tell TLS from text
	begin     [2]int64 // offset of a side's first octet that is no proxy's
	clientGap int64    // offset behind the last gap of the client
	drifting  int64    // what the client had seen when it sent commands of which it is open which was answered, plus one; 0: none
	guessFrom int64    // offset of the first octet that the client sent knowing the reply that was lost
}

// own is the session's own, to be written to.
func (s *session) own() *rare {
	if s.rare == &s.f.t.usual {
		s.rare = &rare{}
	}
	return s.rare
}
