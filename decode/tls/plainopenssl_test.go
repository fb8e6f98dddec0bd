package tls

import (
	"bufio"
	"crypto/rand"
	"crypto/rsa"
	gotls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// exchange is what the client is told to do, and what it prints when it is
// done: s_server -rev sends each line back reversed.
type exchange struct {
	write, until string
	said         string // by the server, which was told so just before
}

var (
	line1 = exchange{write: "line one\n", until: "eno enil"}
	line2 = exchange{write: "another line\n", until: "enil rehtona"}
)

// TestPlainOpenSSL opens what changes keys, or chains records.
func TestPlainOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	old := func(version, suite string, more ...string) []string {
		return append([]string{"-" + version, "-cipher", suite + ":@SECLEVEL=0"}, more...)
	}
	tls13 := []string{"-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"}
	for _, c := range []struct {
		name   string
		args   []string // of both
		client []string
		steps  []exchange
	}{
		{"renegotiation", old("tls1_2", "ECDHE-RSA-AES128-GCM-SHA256"), nil, []exchange{line1, {write: "R\n", until: "RENEGOTIATING"}, line2}},
		{"renegotiation, 1.0", old("tls1", "AES128-SHA"), nil, []exchange{line1, {write: "R\n", until: "RENEGOTIATING"}, line2}},
		{"MAC then encrypt, 1.0", old("tls1", "DHE-RSA-AES128-SHA", "-no_etm"), nil, []exchange{line1, line2}},
		{"encrypt then MAC, 1.2", old("tls1_2", "ECDHE-RSA-AES256-SHA384"), nil, []exchange{line1, line2}},
		{"CCM-8", old("tls1_2", "AES128-CCM8"), nil, []exchange{line1, line2}},
		{"KeyUpdate of one", tls13, nil, []exchange{line1, {write: "k\n", until: "KEYUPDATE"}, line2}},
		{"KeyUpdate of both", tls13, nil, []exchange{line1, {write: "K\n", until: "KEYUPDATE"}, line2, {write: "K\n", until: "KEYUPDATE"}}},
		{"padding", tls13, []string{"-record_padding", "512"}, []exchange{line1, line2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startOpenSSL(t, append(c.args, "-rev")...)
			chunks, text := s.connect(t, c.steps, append(c.args, c.client...)...)
			f := robust(t, text, chunks, line1.write+line2.write, line1.until+"\n"+line2.until+"\n")
			if !f.Established || f.Failed || f.Damaged || f.Certificate == nil || !f.Decrypted {
				t.Errorf("facts %+v", f)
			}
		})
	}
}

// TestPlainEarlyData opens what a client sends with its hello, but not where
// the server does not accept it.
func TestPlainEarlyData(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	for _, accepts := range []bool{true, false} {
		args := []string{"-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"}
		s := startOpenSSL(t, append(args, "-early_data")...)
		dir := t.TempDir()
		session, early := filepath.Join(dir, "session"), filepath.Join(dir, "early")
		if err := os.WriteFile(early, []byte("an early line\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		// The server is told what to say when the client has shaken hands: before, it
		// may say it to the connection that is just ending.
		const answer = "go on\n"
		steps := []exchange{{until: "Verify return code"}, {until: answer, said: answer}}
		s.connect(t, steps, append(args, "-sess_out", session)...)
		resume := append(args, "-sess_in", session, "-early_data", early)
		said := "an early line\n"
		if !accepts { // a ticket serves once
			s.connect(t, steps, resume...)
			said = ""
		}
		chunks, text := s.connect(t, steps, resume...)
		f := robust(t, text, chunks, said, answer)
		if !f.Established || !f.Decrypted || f.Resumed != accepts {
			t.Errorf("accepted %v: facts %+v", accepts, f)
		}
	}
}

func rsaCertificate(t *testing.T) gotls.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(4e9, 0),
		DNSNames: []string{"mail.test"}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return gotls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// opensslServer is a server and the key log of its clients.
type opensslServer struct {
	address, keyLog string
	stdin           io.Writer
}

func startOpenSSL(t *testing.T, args ...string) opensslServer {
	t.Helper()
	dir := t.TempDir()
	pair := rsaCertificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "server.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})...)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("openssl", append([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", file, "-client_renegotiation"}, args...)...)
	in, err := cmd.StdinPipe() // without it the server ends
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, found := strings.CutPrefix(lines.Text(), "ACCEPT "); found {
			go io.Copy(io.Discard, out)
			return opensslServer{address, filepath.Join(dir, "keys"), in}
		}
	}
	t.Skip("this openssl tells no port")
	return opensslServer{}
}

// connect has a client take the steps; text is the log that it wrote.
func (s opensslServer) connect(t *testing.T, steps []exchange, args ...string) (all []chunk, text string) {
	t.Helper()
	relay, chunks := s.relay(t)
	cmd := exec.Command("openssl", append([]string{"s_client", "-connect", relay, "-keylogfile", s.keyLog}, args...)...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() })
	defer timer.Stop()
	go func() { cmd.Wait(); write.Close() }()
	out := bufio.NewReader(read)
	for _, step := range append(steps, exchange{write: "Q\n", until: "DONE"}) {
		io.WriteString(in, step.write)
		io.WriteString(s.stdin, step.said)
		for seen := ""; !strings.Contains(seen, step.until); {
			b, err := out.ReadByte()
			if err != nil {
				t.Fatalf("after %q: %v\n%s", step.write, err, seen)
			}
			seen += string(b)
		}
	}
	in.Close()
	io.Copy(io.Discard, out)
	log, err := os.ReadFile(s.keyLog)
	if err != nil {
		t.Fatal(err)
	}
	return <-chunks, string(log)
}

// relay stands between a client and the server and records both, in order.
func (s opensslServer) relay(t *testing.T) (address string, recorded <-chan []chunk) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("needs the loopback interface: ", err)
	}
	result := make(chan []chunk, 1)
	go func() {
		defer listener.Close()
		client, err := listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", s.address)
		if err != nil {
			client.Close()
			return
		}
		var r recorder
		var both sync.WaitGroup
		both.Go(func() { r.pass(true, client, server) })
		both.Go(func() { r.pass(false, server, client) })
		both.Wait()
		result <- r.chunks
	}()
	return listener.Addr().String(), result
}

type recorder struct {
	mu     sync.Mutex
	chunks []chunk
}

func (r *recorder) pass(client bool, in, out net.Conn) {
	defer out.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := in.Read(b)
		r.mu.Lock()
		r.chunks = append(r.chunks, chunk{client, slices.Clone(b[:n])})
		r.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := out.Write(b[:n]); err != nil {
			return
		}
	}
}
