package sessions_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A peer is a capture of another monitor's test suite: whom it holds, read
// off the wire by other programs, and the ports that it needs.
type peer struct {
	Capture  string
	Ports    map[string][]uint16
	NoMailOn map[string][]uint16 `json:"no_mail_on"`
	Sessions []struct {
		Mails []knownMail
		Auth  []knownLogin
	}
}

// A knownMail is what a mail is told apart by.
type knownMail struct {
	From       *string
	To         []string
	Recipients []string
	Rejected   []struct{ To string }
	Subject    string
	MessageID  string `json:"message_id"`
	QueueID    string `json:"queue_id"`
	Result     string
	Code       int
	Begins     struct{ Subject string }
	Count      struct{ To int }
	IfThere    struct{ Subject string } `json:"if_there"`
}

type knownLogin struct{ Username, Result string }

// peers reads what is known of the captures, which stand beside the checkout.
func peers(t *testing.T) (dir string, all []peer) {
	t.Helper()
	dir = os.Getenv("MAILTAP_PEERS")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "peers")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the captures of other monitors are not here: they belong into ../shared/peers beside the checkout, or MAILTAP_PEERS says where they are")
	}
	text, err := os.ReadFile("../cmd/mailtap/testdata/peers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	if text, err = json.Marshal(tree); err != nil { // its fields are the records'
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	return dir, all
}

// TestPeersEachPacketLost drops each of the first packets of those captures in
// turn: what is told of a mail is all of one mail on the wire, never of two
// and never of none; so it is with logins.
func TestPeersEachPacketLost(t *testing.T) { losePeers(t, 0, 1) }

// TestPeersBurstLost drops two and three packets in a row, as a tap does that
// falls behind.
func TestPeersBurstLost(t *testing.T) { losePeers(t, 2, 3) }

// losePeers drops so many segments in a row from each capture, in each place.
func losePeers(t *testing.T, counts ...int) {
	dir, all := peers(t)
	for _, p := range all {
		t.Run(p.Capture, func(t *testing.T) {
			whole := load(t, filepath.Join(dir, filepath.FromSlash(p.Capture)), p.allPorts()...)
			if len(whole) > 600 {
				t.Skip("large, and has one mail")
			}
			seen := map[string]bool{}
			for _, n := range counts {
				for i := range min(len(whole)-n, 200) {
					if n == 0 && i > 0 {
						break
					}
					for _, made := range p.madeUp(t, play(t, slices.Concat(whole[:i], whole[i+n:]))) {
						if !seen[made] {
							t.Errorf("without %d segments from %d on: made up %s", n, i, made)
						}
						seen[made] = true
					}
				}
			}
		})
	}
}

func (p peer) allPorts() (ports []uint16) {
	for _, byRole := range []map[string][]uint16{p.Ports, p.NoMailOn} {
		for _, list := range byRole {
			ports = append(ports, list...)
		}
	}
	return ports
}

// madeUp lists the mails and logins of records that the capture does not hold.
func (p peer) madeUp(t *testing.T, records string) (made []string) {
	t.Helper()
	var mails []knownMail
	var logins []knownLogin
	for _, s := range p.Sessions {
		mails = append(mails, s.Mails...)
		logins = append(logins, s.Auth...)
	}
	for line := range strings.Lines(records) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var r struct {
			Event string
			knownMail
			Username string
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		switch {
		case r.Event == "mail" && !slices.ContainsFunc(mails, r.knownMail.isOf):
			made = append(made, "a mail: "+r.knownMail.String())
		case r.Event == "auth" && !slices.ContainsFunc(logins, func(l knownLogin) bool {
			return (r.Username == "" || r.Username == l.Username) && isOf(r.Result, l.Result, "unknown", "aborted")
		}):
			made = append(made, fmt.Sprintf("a login: %s of %q", r.Result, r.Username))
		}
	}
	return made
}

// isOf reports whether all that is told of a mail is true of one on the wire.
func (m knownMail) isOf(wire knownMail) bool {
	if m.From != nil && (wire.From == nil || *m.From != *wire.From) {
		return false
	}
	for _, to := range m.To {
		if wire.Count.To == 0 && !slices.Contains(wire.To, to) && !slices.Contains(wire.Recipients, to) {
			return false
		}
	}
	for _, r := range m.Rejected {
		if !slices.Contains(wire.Rejected, r) {
			return false
		}
	}
	subject := isOf(m.Subject, "", wire.Subject, wire.IfThere.Subject) || wire.Begins.Subject != "" && strings.HasPrefix(m.Subject, wire.Begins.Subject)
	return subject && isOf(m.MessageID, "", wire.MessageID) && isOf(m.QueueID, "", wire.QueueID) &&
		(wire.Code == 0 || isOf(m.Code, 0, wire.Code)) &&
		(wire.Result == "" || isOf(m.Result, wire.Result, "unknown", "aborted"))
}

func isOf[V comparable](told V, allowed ...V) bool { return slices.Contains(allowed, told) }

func (m knownMail) String() string {
	from := "unknown"
	if m.From != nil {
		from = *m.From
	}
	return fmt.Sprintf("from %s to %v, refused for %v, subject %.40q, %s, %s %d %s", from, m.To, m.Rejected, m.Subject, m.MessageID, m.Result, m.Code, m.QueueID)
}
