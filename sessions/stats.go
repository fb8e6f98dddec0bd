package sessions

// Stats counts what the tracker did since its start, apart from events.
type Stats struct {
	Opening, Established, Closing int // connections tracked now
	HeldBytes                     int // early octets held now

	Bytes, Gaps, LostBytes, RetransmittedBytes, Overlaps uint64 // of connections that ended

	EvictedMemory, EvictedIdle, EvictedTable uint64

	Left, LeftPackets uint64 // connections that Leave left out, and their packets

	Copies    uint64 // packets that the capture had twice: left out
	Strangers uint64 // packets of ports that nobody named and of no mail, where the caller looks at them
}

// Add adds what another tracker counted.
func (s *Stats) Add(o Stats) {
	s.Opening += o.Opening
	s.Established += o.Established
	s.Closing += o.Closing
	s.HeldBytes += o.HeldBytes
	s.Bytes += o.Bytes
	s.Gaps += o.Gaps
	s.LostBytes += o.LostBytes
	s.RetransmittedBytes += o.RetransmittedBytes
	s.Overlaps += o.Overlaps
	s.EvictedMemory += o.EvictedMemory
	s.EvictedIdle += o.EvictedIdle
	s.EvictedTable += o.EvictedTable
	s.Left += o.Left
	s.LeftPackets += o.LeftPackets
	s.Copies += o.Copies
	s.Strangers += o.Strangers
}
