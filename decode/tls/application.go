package tls

import "math"

// Plaintext sizes that the inferences go by, in octets.
const (
	quitLength  = len("QUIT\r\n")
	replyLength = 128 // more than any 221 in use; a session ticket is longer
)

// application takes an application_data record by its size: its body was
// passed over. In TLS 1.3 it may hide a handshake message or an alert
// (RFC 8446, 5.2).
func (w *Watch) application(s *side) {
	if s == &w.client && w.earlyData && !w.told().ServerHello {
		return // ahead of the handshake (RFC 8446, 2.3)
	}
	if s.records < math.MaxUint8 {
		s.records++
	}
	if s.records == 1 {
		w.release(s)
		if !s.lost {
			s.first = s.length
		}
	}
	alert := w.alertSized(s)
	switch {
	case s == &w.client && alert:
		w.clientClosing = true
	case s == &w.client:
		w.quit = int(s.length) == w.overhead.record(quitLength)
		w.quitAnswered = false
	case alert:
		w.refused = !w.serverSpoke && !w.clientClosing
	default:
		w.serverData()
	}
}

// alertSized says whether the record may be an encrypted alert. Up to TLS 1.2
// application data never is; where the version was lost the tag's size of TLS
// 1.3 is assumed.
func (w *Watch) alertSized(s *side) bool {
	if w.version == 0 {
		return s.length <= alertLength+1+16
	}
	return w.version >= version13 && int(s.length) == w.overhead.record(alertLength)
}

// serverData takes what is no alert. An alert is the end: one that is followed
// was none. Where the client has encrypted nothing yet, a record of an
// alert's size is one for sure, as no message of the handshake is so short;
// as the first answer to the client's Finished it is taken for one too,
// unless the client said goodbye before.
func (w *Watch) serverData() {
	w.refused = false
	w.serverSpoke = w.serverSpoke || w.client.records > 0
	w.quitAnswered = w.quitAnswered || w.quit && int(w.server.length) <= w.overhead.record(replyLength)
}
