package ladder

import "time"

// View is a ladder with the connection that it belongs to, as JSON shows it. It
// shares the steps with the ladder.
type View struct {
	Session    string    `json:"session"`
	Time       time.Time `json:"time"`
	Client     string    `json:"client"`
	Server     string    `json:"server"`
	ServerName string    `json:"server_name,omitempty"`
	Role       string    `json:"role"`
	Direction  string    `json:"direction"`
	End        string    `json:"end,omitempty"` // empty while it lasts
	Duration   Seconds   `json:"duration"`
	Partial    bool      `json:"partial,omitempty"` // the capture misses some of it
	Steps      []Step    `json:"steps"`
	LeftOut    int       `json:"left_out,omitempty"` // steps beyond the limit
}

// View gives the ladder as it stands. At least one event must have come.
func (l *Ladder) View() View {
	c := l.conn
	v := View{
		Session: c.ID, Time: c.Start.UTC(), Client: c.Client.String(), Server: c.Server.String(), ServerName: c.ServerName,
		Role: c.Role, Direction: c.Direction, Steps: l.steps, LeftOut: l.left,
	}
	if l.ended {
		v.End, v.Duration, v.Partial = l.end, l.duration, l.partial
	}
	return v
}
