package packet

// PortSet is a set of TCP ports: a bitmap, because it is asked for each
// packet. Its zero value is empty; a nil one has every port.
type PortSet struct {
	bits [1 << 16 / 64]uint64
}

// Add puts ports into the set.
func (s *PortSet) Add(ports ...uint16) {
	for _, p := range ports {
		s.bits[p>>6] |= 1 << (p & 63)
	}
}

// Has tells whether a port is in the set.
func (s *PortSet) Has(port uint16) bool {
	return s == nil || s.bits[port>>6]&(1<<(port&63)) != 0
}
