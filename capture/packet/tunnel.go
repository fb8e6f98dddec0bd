package packet

import "strconv"

// TunnelKind names an encapsulation.
type TunnelKind uint8

// The encapsulations that are read, and what their numbers are.
const (
	NoTunnel        TunnelKind = iota
	TunnelMPLS                 // label at the bottom of the stack
	TunnelPPPoE                // session
	TunnelPBB                  // IEEE 802.1ah service instance
	TunnelGRE                  // key, where there is one
	TunnelNVGRE                // virtual subnet
	TunnelPPTP                 // call
	TunnelERSPAN1              // none
	TunnelERSPAN2              // session
	TunnelERSPAN3              // session
	TunnelVXLAN                // network
	TunnelVXLANGPE             // network
	TunnelGeneve               // network
	TunnelGTP                  // endpoint
	TunnelTeredo               // none
	TunnelL2TP                 // session
	TunnelIPIP                 // none; IPv4 in IPv4
	TunnelSixInFour            // none
	TunnelFourInSix            // none
	TunnelSixInSix             // none
	tunnelKinds
)

var tunnelNames = [tunnelKinds]string{
	NoTunnel:        "none",
	TunnelMPLS:      "mpls",
	TunnelPPPoE:     "pppoe",
	TunnelPBB:       "pbb",
	TunnelGRE:       "gre",
	TunnelNVGRE:     "nvgre",
	TunnelPPTP:      "pptp",
	TunnelERSPAN1:   "erspan1",
	TunnelERSPAN2:   "erspan2",
	TunnelERSPAN3:   "erspan3",
	TunnelVXLAN:     "vxlan",
	TunnelVXLANGPE:  "vxlan-gpe",
	TunnelGeneve:    "geneve",
	TunnelGTP:       "gtp",
	TunnelTeredo:    "teredo",
	TunnelL2TP:      "l2tp",
	TunnelIPIP:      "ipip",
	TunnelSixInFour: "6in4",
	TunnelFourInSix: "4in6",
	TunnelSixInSix:  "6in6",
}

// String is the name used in records.
func (k TunnelKind) String() string {
	if k < tunnelKinds {
		return tunnelNames[k]
	}
	return "unknown"
}

// MaxTunnels is how many tunnels of a packet are kept; deeper ones are read
// and left out.
const MaxTunnels = 4

// Tunnel is an encapsulation that a segment passed.
type Tunnel struct {
	Kind     TunnelKind
	Numbered bool
	Number   uint32 // what tells this tunnel from others of its kind
}

// String writes the kind, and the number behind a colon where there is one:
// vxlan:42, gre.
func (t Tunnel) String() string {
	if !t.Numbered {
		return t.Kind.String()
	}
	return t.Kind.String() + ":" + strconv.FormatUint(uint64(t.Number), 10)
}

// through notes that the packet passes a tunnel that has a number.
func (s *Segment) through(k TunnelKind, number uint32) {
	s.pass(Tunnel{Kind: k, Numbered: true, Number: number})
}

func (s *Segment) pass(t Tunnel) {
	if s.TunnelCount < MaxTunnels {
		s.Tunnels[s.TunnelCount] = t
		s.TunnelCount++
	}
}
