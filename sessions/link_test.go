package sessions_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
	"github.com/mailtap/mailtap/sessions/dialog"
)

// The directions of a connection meet although each carries other tags and
// tunnels; the record names those of the first packet.
func TestLink(t *testing.T) {
	text, err := os.ReadFile("testdata/plain.txt")
	if err != nil {
		t.Fatal(err)
	}
	whole := segments(t, string(text), dialog.Options{})
	want := play(t, whole)
	client := whole[0].From()
	for i := range whole {
		s := &whole[i]
		if s.From() == client {
			s.VLANs, s.VLANCount = [packet.MaxVLANs]uint16{300, 7}, 2
			s.Tunnels, s.TunnelCount = [packet.MaxTunnels]packet.Tunnel{{Kind: packet.TunnelGRE}, {Kind: packet.TunnelVXLAN, Numbered: true, Number: 42}}, 2
		} else {
			s.Tunnels, s.TunnelCount = [packet.MaxTunnels]packet.Tunnel{{Kind: packet.TunnelERSPAN2, Numbered: true, Number: 77}}, 1
		}
	}
	got := play(t, whole)
	link := `"link":{"vlan":[300,7],"tunnel":["gre","vxlan:42"]},`
	if !strings.Contains(got, link) {
		t.Errorf("no %s in\n%s", link, got)
	}
	if strings.ReplaceAll(got, link, "") != want {
		t.Errorf("tags change the facts:\n%s\nwant\n%s", got, want)
	}
}

// Ways beyond those that are numbered are told all the same, also of a connection
// that was parked.
func TestMoreLinksThanNumbers(t *testing.T) {
	const numbered = 1 << 14
	tracker := sessions.NewTracker(sessions.Options{}, sessions.HandlerFunc(func(e sessions.Event) {
		if c, ok := e.(*sessions.Closed); ok && c.Session.End == sessions.EndQuit && !slices.Equal(c.Conn.VLANs, []uint16{300, 7}) {
			t.Errorf("tags %v", c.Conn.VLANs)
		}
	}))
	tracker.ParkAtOnce()
	whole := segments(t, "S: 220 mx\nC: QUIT\nS: 221 bye\n", dialog.Options{})
	for i := range numbered {
		s := whole[0]
		s.Src = packet.Address{Lo: 1<<24 + uint64(i)}
		s.VLANs, s.VLANCount = [packet.MaxVLANs]uint16{uint16(i), uint16(i >> 12), 1}, 3
		tracker.Segment(&s)
	}
	for _, s := range whole {
		s.VLANs, s.VLANCount = [packet.MaxVLANs]uint16{300, 7}, 2
		tracker.Segment(&s)
	}
	tracker.Close()
}
