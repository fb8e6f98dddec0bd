package keys

import (
	"bufio"
	"bytes"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestSuitesOfOpenSSL holds the table against the list that OpenSSL prints.
func TestSuitesOfOpenSSL(t *testing.T) {
	out, err := exec.Command("openssl", "ciphers", "-V", "ALL:COMPLEMENTOFALL:@SECLEVEL=0").Output()
	if err != nil {
		t.Skip("needs openssl")
	}
	row := regexp.MustCompile(`0x(..),0x(..) - (\S+)\s+(\S+)\s+Kx=\S+\s+Au=\S+\s+Enc=(\S+)\s+Mac=(\S+)`)
	ciphers := map[string]string{"AESGCM(128)": "GCM 16", "AESGCM(256)": "GCM 32", "AESCCM(128)": "CCM 16", "AESCCM(256)": "CCM 32",
		"AESCCM8(128)": "CCM8 16", "AESCCM8(256)": "CCM8 32", "CHACHA20/POLY1305(256)": "ChaCha20 32", "AES(128)": "CBC 16", "AES(256)": "CBC 32",
		"3DES(168)": "3DES 24", "RC4(128)": "RC4 16", "DES(56)": "DES 8"}
	names := map[algorithm]string{aesGCM: "GCM", aesCCM: "CCM", aesCCM8: "CCM8", chacha20: "ChaCha20", aesCBC: "CBC", desCBC: "DES",
		tripleDES: "3DES", rc4Stream: "RC4"}
	found := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		m := row.FindStringSubmatch(lines.Text())
		if m == nil {
			t.Errorf("%q", lines.Text())
			continue
		}
		var suite uint16
		fmt.Sscanf(m[1]+m[2], "%x", &suite)
		version := uint16(version12)
		if m[4] == "TLSv1.3" {
			version = version13
		}
		want, ours := ciphers[m[5]]
		p, known := protectionOf(suite, version)
		if known != ours {
			t.Errorf("%s (%04x, %s): known %v", m[3], suite, m[5], known)
		}
		if !known {
			continue
		}
		found++
		if got := fmt.Sprint(names[p.algorithm], " ", p.key); got != want {
			t.Errorf("%s: %s", m[3], got)
		}
		mac := map[string]int{"AEAD": 0, "SHA1": 20, "SHA256": 32, "SHA384": 48, "MD5": 16}[m[6]]
		if p.macKey() != mac {
			t.Errorf("%s: a MAC of %d octets", m[3], p.macKey())
		}
		if (p.prf.Size() == 48) != strings.HasSuffix(m[3], "SHA384") {
			t.Errorf("%s: hash of %d octets", m[3], p.prf.Size())
		}
	}
	if found < 80 {
		t.Errorf("only %d suites", found)
	}
}
