package mail

import "testing"

// TestStop leaves out the field that a loss has cut, and keeps those before.
func TestStop(t *testing.T) {
	var h HeaderReader
	h.Write([]byte("From: a@b\r\nSubject: half of"))
	h.Stop()
	if !h.Done() {
		t.Error("not done")
	}
	if f := h.Fields(); f.From != "a@b" || f.Subject != "" {
		t.Errorf("%+v", f)
	}
	if n := h.Write([]byte("To: c@d\r\n\r\n")); n != 0 {
		t.Errorf("took %d octets behind the end", n)
	}
}
