package sessions

import "fmt"

// ParkAtOnce makes a tracker park each connection as soon as it was greeted.
func (t *Tracker) ParkAtOnce() { t.parking.behind = 0 }

// Parked is how many connections are parked.
func (t *Tracker) Parked() int { return t.parking.parked }

// Kept is what sessions are reckoned to keep beside their fixed size.
func (t *Tracker) Kept() int { return t.kept }

// Misreckoned says where something else is kept than is reckoned; "" for nowhere.
func (t *Tracker) Misreckoned() string {
	sum, hoarding := 0, 0
	for _, f := range t.talkers.all {
		if f == nil || f.entry == nil {
			continue
		}
		sum += int(f.kept)
		waiting, s := 0, &f.dialog
		for i := range s.pending {
			waiting += s.pending[i].cost()
		}
		if n := f.keeping(); n != int(f.kept) {
			return fmt.Sprintf("%d octets are kept, %d reckoned", n, f.kept)
		}
		if s.room != nil && s.room.octets != waiting || s.room == nil && waiting > 0 {
			return fmt.Sprintf("%d commands take %d octets, reckoned is %+v", len(s.pending), waiting, s.room)
		}
		if f.kept >= hoard {
			hoarding++
		}
	}
	for _, of := range t.hoarders {
		hoarding -= len(of)
	}
	if sum != t.kept || hoarding != 0 {
		return fmt.Sprintf("%d octets together, reckoned %d; %d hoarders too few", sum, t.kept, hoarding)
	}
	return ""
}
