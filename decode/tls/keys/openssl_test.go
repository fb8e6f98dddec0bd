package keys

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"io"
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

// step is what the client is told to do, and what it prints when it is done:
// s_server -rev sends each line back reversed.
type step struct{ write, until string }

var (
	line1 = step{"line one\n", "eno enil"}
	line2 = step{"another line\n", "enil rehtona"}
)

// TestOpenSSL opens what OpenSSL's client and server say to each other:
// suites, versions and extensions that crypto/tls has not.
func TestOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	old := func(version, suite string, more ...string) []string {
		return append([]string{"-" + version, "-cipher", suite + ":@SECLEVEL=0"}, more...)
	}
	new13 := func(suite string) []string { return []string{"-tls1_3", "-ciphersuites", suite} }
	plain := []step{line1, line2}
	for _, c := range []struct {
		name    string
		args    []string // of both
		client  []string
		steps   []step
		suite   uint16
		version uint16
		etm     bool
		updates int
		hellos  int
	}{
		{"DHE CBC", old("tls1_2", "DHE-RSA-AES256-SHA256"), nil, plain, 0x006B, version12, true, 0, 1},
		{"CBC SHA-384", old("tls1_2", "ECDHE-RSA-AES256-SHA384"), nil, plain, 0xC028, version12, true, 0, 1},
		{"MAC then encrypt", old("tls1_2", "ECDHE-RSA-AES256-SHA384", "-no_etm"), nil, plain, 0xC028, version12, false, 0, 1},
		{"anonymous DH", old("tls1_2", "ADH-AES256-GCM-SHA384"), nil, plain, 0x00A7, version12, false, 0, 1},
		{"anonymous ECDH", old("tls1_2", "AECDH-AES256-SHA"), nil, plain, 0xC019, version12, true, 0, 1},
		{"anonymous ECDH, 1.0", old("tls1", "AECDH-AES256-SHA"), nil, plain, 0xC019, version10, true, 0, 1},
		{"TLS 1.0", old("tls1", "DHE-RSA-AES128-SHA", "-no_etm"), nil, plain, 0x0033, version10, false, 0, 1},
		{"TLS 1.0, encrypt then MAC", old("tls1", "DHE-RSA-AES128-SHA"), nil, plain, 0x0033, version10, true, 0, 1},
		{"TLS 1.1", old("tls1_1", "DHE-RSA-AES128-SHA"), nil, plain, 0x0033, version11, true, 0, 1},
		{"DHE ChaCha20", old("tls1_2", "DHE-RSA-CHACHA20-POLY1305"), nil, plain, 0xCCAA, version12, false, 0, 1},
		{"CCM", old("tls1_2", "DHE-RSA-AES256-CCM"), nil, plain, 0xC09F, version12, false, 0, 1},
		{"CCM-8", old("tls1_2", "AES128-CCM8"), nil, plain, 0xC0A0, version12, false, 0, 1},
		{"renegotiation", old("tls1_2", "ECDHE-RSA-AES128-GCM-SHA256"), nil, []step{line1, {"R\n", "RENEGOTIATING"}, line2}, 0xC02F, version12, false, 0, 2},
		{"renegotiation, 1.0", old("tls1", "AES128-SHA"), nil, []step{line1, {"R\n", "RENEGOTIATING"}, line2}, 0x002F, version10, true, 0, 2},
		{"TLS 1.3 AES-128", new13("TLS_AES_128_GCM_SHA256"), nil, plain, 0x1301, version13, false, 0, 1},
		{"TLS 1.3 AES-256", new13("TLS_AES_256_GCM_SHA384"), nil, plain, 0x1302, version13, false, 0, 1},
		{"TLS 1.3 ChaCha20", new13("TLS_CHACHA20_POLY1305_SHA256"), nil, plain, 0x1303, version13, false, 0, 1},
		{"TLS 1.3 CCM", new13("TLS_AES_128_CCM_SHA256"), nil, plain, 0x1304, version13, false, 0, 1},
		{"TLS 1.3 CCM-8", append(new13("TLS_AES_128_CCM_8_SHA256"), "-cipher", "ALL:@SECLEVEL=0"), nil, plain, 0x1305, version13, false, 0, 1},
		{"KeyUpdate of one", new13("TLS_AES_256_GCM_SHA384"), nil, []step{line1, {"k\n", "KEYUPDATE"}, line2}, 0x1302, version13, false, 1, 1},
		{"KeyUpdate of both", new13("TLS_AES_128_GCM_SHA256"), nil, []step{line1, {"K\n", "KEYUPDATE"}, line2}, 0x1301, version13, false, 2, 1},
		{"padding", new13("TLS_AES_128_GCM_SHA256"), []string{"-record_padding", "512"}, plain, 0x1301, version13, false, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startOpenSSL(t, append(c.args, "-rev")...)
			f := s.connect(t, c.steps, 0, append(c.args, c.client...)...)
			f.whole()
			f.reversed()
			n := len(f.suites)
			if n != c.hellos || f.suites[n-1] != c.suite || f.versions[n-1] != c.version || f.etm != c.etm || f.updates != c.updates {
				t.Errorf("suites %04x, versions %04x, encrypt then MAC %v, %d key updates", f.suites, f.versions, f.etm, f.updates)
			}
		})
	}
}

// TestEarlyData opens what a client sends with its hello, and what follows.
func TestEarlyData(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("needs openssl")
	}
	const suite = 0x1302
	args := []string{"-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384"}
	s := startOpenSSL(t, append(args, "-early_data")...)
	session, early := filepath.Join(t.TempDir(), "session"), filepath.Join(t.TempDir(), "early")
	if err := os.WriteFile(early, []byte("an early line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const answer = "go on\n" // what the server sends when it is done with its handshake
	io.WriteString(s.stdin, answer)
	s.connect(t, []step{{"", answer}}, 0, append(args, "-sess_out", session)...).whole()
	io.WriteString(s.stdin, answer)
	f := s.connect(t, []step{{"", answer}}, suite, append(args, "-sess_in", session, "-early_data", early)...)
	f.whole()
	if got := f.sides[Client].text.String(); got != "an early line\n" {
		t.Errorf("the client said %q", got)
	}
	if got := f.sides[Server].text.String(); got != answer {
		t.Errorf("the server said %q", got)
	}
}

// reversed demands that both lines and their answers were read.
func (f *follower) reversed() {
	f.t.Helper()
	if got := f.sides[Client].text.String(); got != line1.write+line2.write {
		f.t.Errorf("the client said %q", got)
	}
	if got := f.sides[Server].text.String(); got != line1.until+"\n"+line2.until+"\n" {
		f.t.Errorf("the server said %q", got)
	}
}

// opensslServer is a server and the key log of its clients.
type opensslServer struct {
	address, keyLog string
	stdin           io.Writer
}

func startOpenSSL(t *testing.T, args ...string) opensslServer {
	t.Helper()
	dir := t.TempDir()
	pair := certificates()[1]
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

// connect has a client take the steps, and follows it with the log it wrote.
func (s opensslServer) connect(t *testing.T, steps []step, early uint16, args ...string) *follower {
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
	for _, step := range append(steps, step{"Q\n", "DONE"}) {
		io.WriteString(in, step.write)
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
	f := &follower{t: t, log: logOf(t, log), early: early}
	for _, c := range <-chunks {
		f.feed(c)
	}
	return f
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
		both.Go(func() { r.pass(Client, client, server) })
		both.Go(func() { r.pass(Server, server, client) })
		both.Wait()
		result <- r.chunks
	}()
	return listener.Addr().String(), result
}

type recorder struct {
	mu     sync.Mutex
	chunks []chunk
}

func (r *recorder) pass(from Sender, in, out net.Conn) {
	defer out.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := in.Read(b)
		r.mu.Lock()
		r.chunks = append(r.chunks, chunk{from, slices.Clone(b[:n])})
		r.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := out.Write(b[:n]); err != nil {
			return
		}
	}
}
