package tls

// Plain is a run of what one direction carried inside TLS, where a key log
// opens it.
type Plain struct {
	FromClient bool
	Data       []byte // borrowed until the next call of the Watch
	Lost       int64  // octets on the wire that were lost before Data, at least 1 where some were
	Mark       int64  // Watch.Mark as the last octet of its record was fed
	End        int64  // octets of the direction, lost ones included, up to the end of its record
}

// Next pulls what the octets fed so far carried; false where there is nothing
// more. Nothing comes of a connection whose secrets are not known.
func (w *Watch) Next(p *Plain) bool { return false }
