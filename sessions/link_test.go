package sessions_test

import (
	"os"
	"strings"
	"testing"

	"github.com/mailtap/mailtap/capture/packet"
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
