package mail

// Stop ends the header where octets of it were lost: what follows may be the
// body. A field that was not complete is left out.
func (h *HeaderReader) Stop() {
	h.state = headerIsOver
}
