package sessions

// ParkAtOnce makes a tracker park each connection as soon as it was greeted.
func (t *Tracker) ParkAtOnce() { t.parking.behind = 0 }

// Parked is how many connections are parked.
func (t *Tracker) Parked() int { return t.parking.parked }
