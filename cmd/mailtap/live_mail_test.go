package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A real Postfix takes the mail of a receiver inside TLS; one that offers no TLS,
// or whose certificate is for another name, gets none.
func TestMailToPostfix(t *testing.T) {
	needLive(t)
	server, client := namespaces(t)
	p := startPostfix(t, server, serverAddress)
	dir := openDir(t)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-subj", "/CN=mx.test", "-addext", "subjectAltName=DNS:mx.test", "-keyout", key, "-out", cert).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	try := func(name string) (string, error) {
		config := writeTemp(t, fmt.Sprintf("alerts: {receivers: [{name: soc, email: {server: '%s:25', from: mailtap@far.test, "+
			"to: [alice@home.test, bob@home.test], tls: {ca_file: %s, server_name: %s}}}]}", serverAddress, cert, name))
		out, err := self("mailtap", client, "alerts", "test", "--config", config).CombinedOutput()
		return string(out), err
	}
	if out, err := try("mx.test"); err == nil || !strings.Contains(out, "does not offer STARTTLS, nothing was sent") {
		t.Errorf("without STARTTLS: %v\n%s", err, out)
	}
	main, err := os.ReadFile(filepath.Join(p.dir, "etc/main.cf"))
	if err != nil {
		t.Fatal(err)
	}
	p.write(t, "etc/main.cf", string(main)+fmt.Sprintf("smtpd_tls_security_level = may\nsmtpd_tls_loglevel = 1\nsmtpd_tls_cert_file = %s\nsmtpd_tls_key_file = %s\n", cert, key))
	p.write(t, "etc/master.cf", postfixMaster+"tlsmgr    unix       - - n 1000? 1 tlsmgr\n")
	if out, err := p.command("reload").CombinedOutput(); err != nil {
		t.Fatalf("postfix reload: %v\n%s", err, out)
	}
	var out string
	if !within(20*time.Second, func() bool { out, err = try("mx.test"); return err == nil }) { // it reloads while it serves
		t.Fatalf("%v\n%s\n%s", err, out, p.log())
	}
	if !strings.Contains(out, "250 to the mail") {
		t.Error(out)
	}
	if !within(20*time.Second, func() bool { return strings.Count(p.log(), "status=sent") >= 4 }) || !strings.Contains(p.log(), "TLS connection established") {
		t.Errorf("two mails to two recipients are not delivered inside TLS:\n%s", p.log())
	}
	sent := strings.Count(p.log(), "status=sent")
	if out, err := try("other.test"); err == nil || !strings.Contains(out, "certificate") {
		t.Errorf("another name: %v\n%s", err, out)
	}
	if n := strings.Count(p.log(), "status=sent"); n != sent {
		t.Errorf("%d mails were sent to the wrong server", n-sent)
	}
}
