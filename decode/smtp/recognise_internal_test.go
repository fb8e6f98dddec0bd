package smtp

import "testing"

// TestFirstOctets: each method is found behind the quick look at the first octet.
func TestFirstOctets(t *testing.T) {
	for _, m := range methods {
		if name, need := Recognise([]byte(m + "/ HTTP/1.1\r\n")); name != ProtoHTTP || need {
			t.Errorf("%q is %q", m, name)
		}
		if name, need := Recognise([]byte(m[:1])); name != "" || !need {
			t.Errorf("the begin of %q is %q", m, name)
		}
	}
}
