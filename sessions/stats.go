package sessions

// Stats counts what the tracker did since its start, apart from events.
type Stats struct {
	Opening, Established, Closing int // connections tracked now
	HeldBytes                     int // early octets held now

	Gaps, LostBytes, RetransmittedBytes, Overlaps uint64

	EvictedMemory, EvictedIdle, EvictedTable uint64
}
