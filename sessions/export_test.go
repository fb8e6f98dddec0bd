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
	sum, held, hoarding := 0, 0, 0
	for _, f := range t.talkers.all {
		if f == nil || f.entry == nil {
			continue
		}
		sum += int(f.kept.octets)
		waiting, s := 0, &f.dialog
		for i := range s.pending {
			waiting += s.pending[i].cost()
		}
		if was := f.kept.octets; t.reckon(f) || f.kept.octets != was {
			return fmt.Sprintf("%d octets are kept, %d were reckoned", f.kept.octets, was)
		}
		if s.room != nil && s.room.octets != waiting || s.room == nil && waiting > 0 {
			return fmt.Sprintf("%d commands take %d octets, reckoned is %+v", len(s.pending), waiting, s.room)
		}
		if f.kept.octets >= hoard {
			hoarding++
		}
		held += f.early()
		if n := f.early(); n >= hoard {
			if hoarding++; n != int(f.held.octets) {
				return fmt.Sprintf("%d octets are held, %d reckoned", n, f.held.octets)
			}
		}
	}
	for i := range t.hoarders.by {
		hoarding -= len(t.hoarders.by[i]) + len(t.holders.by[i])
	}
	if sum != t.kept || held != t.held || hoarding != 0 {
		return fmt.Sprintf("%d and %d octets together, reckoned %d and %d; %d hoarders too few", sum, held, t.kept, t.held, hoarding)
	}
	return ""
}
