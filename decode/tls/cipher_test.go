package tls

import "testing"

func TestSuites(t *testing.T) {
	for i, s := range suites {
		if i > 0 && suites[i-1].id >= s.id {
			t.Errorf("%04X stands behind %04X", s.id, suites[i-1].id)
		}
	}
	for id, want := range map[uint16]string{
		0x002F: "AES128-SHA", 0xC030: "ECDHE-RSA-AES256-GCM-SHA384", 0x1302: "TLS_AES_256_GCM_SHA384",
		0xCCA8: "ECDHE-RSA-CHACHA20-POLY1305", 0x0005: "RC4-SHA", 0xC0FF: "0xC0FF", 0x0A0A: "0x0A0A",
	} {
		if got := cipherName(id); got != want {
			t.Errorf("%04X is %q, want %q", id, got, want)
		}
	}
}

func TestOverhead(t *testing.T) {
	for _, c := range []struct {
		cipher         string
		version        uint16
		encryptThenMAC bool
		text, want     int
	}{
		{"TLS_AES_256_GCM_SHA384", version13, false, 6, 23},
		{"TLS_AES_128_CCM_8_SHA256", version13, false, 6, 15},
		{"ECDHE-RSA-AES256-GCM-SHA384", 0x0303, false, 6, 30},
		{"ECDHE-RSA-CHACHA20-POLY1305", 0x0303, false, 6, 22},
		{"AES128-CCM8", 0x0303, false, 6, 22},
		{"AES128-SHA", 0x0303, false, 6, 16 + 32},
		{"AES128-SHA", 0x0303, true, 6, 16 + 16 + 20},
		{"AES128-SHA", 0x0301, false, 6, 32},
		{"ECDHE-RSA-AES256-SHA384", 0x0303, false, 6, 16 + 64},
		{"DES-CBC3-SHA", 0x0302, false, 6, 8 + 32},
		{"RC4-MD5", 0x0301, false, 6, 22},
		{"GOST2001-GOST89-GOST89", 0x0301, false, 6, -1},
		{"0xC0FF", 0x0303, false, 6, -1},
	} {
		if got := overheadOf(c.cipher, c.version, c.encryptThenMAC).record(c.text); got != c.want {
			t.Errorf("%s in %04x: %d octets, want %d", c.cipher, c.version, got, c.want)
		}
	}
}

func TestAlertNames(t *testing.T) {
	for code, want := range map[byte]string{0: "close_notify", 40: "handshake_failure", 48: "unknown_ca", 70: "protocol_version", 116: "certificate_required", 199: "alert_199"} {
		if got := alertName(code); got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
}
