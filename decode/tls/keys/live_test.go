package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// tap records what a client wrote and read, in its order.
type tap struct {
	net.Conn
	chunks []chunk
}

func (c *tap) Write(b []byte) (int, error) {
	c.chunks = append(c.chunks, chunk{Client, bytes.Clone(b)})
	return c.Conn.Write(b)
}

func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.chunks = append(c.chunks, chunk{Server, bytes.Clone(b[:n])})
	return n, err
}

var certificates = sync.OnceValue(func() []tls.Certificate {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	var all []tls.Certificate
	for _, key := range []crypto.Signer{ec, old} {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(4e9, 0),
			DNSNames: []string{"mail.test"}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			panic(err)
		}
		all = append(all, tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key})
	}
	return all
})

// said is what the client says: a short line, one of several records, and an end.
var said = []string{"EHLO client.test\r\n", strings.Repeat("a body of many lines\r\n", 2500), "QUIT\r\n"}

func reply(line string) string { return fmt.Sprintf("250 %d octets\r\n", len(line)) }

// talk has a client say its lines to a server that answers each with its length.
func talk(t *testing.T, client, server *tls.Config) []chunk {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("needs the loopback interface: ", err)
	}
	defer listener.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if c, err := listener.Accept(); err == nil {
			defer c.Close()
			conn := tls.Server(c, server)
			for _, line := range said {
				if _, err := io.ReadFull(conn, make([]byte, len(line))); err != nil {
					return
				}
				io.WriteString(conn, reply(line))
			}
			conn.Close()
		}
	}()
	c, err := net.DialTimeout("tcp", listener.Addr().String(), 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	tapped := &tap{Conn: c}
	conn := tls.Client(tapped, client)
	for _, line := range said {
		if _, err := io.WriteString(conn, line); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(conn, make([]byte, len(reply(line)))); err != nil {
			t.Fatal(err)
		}
	}
	conn.Close()
	<-done
	c.Close()
	return tapped.chunks
}

func (f *follower) said() {
	f.t.Helper()
	f.whole()
	var replies string
	for _, line := range said {
		replies += reply(line)
	}
	if got := f.sides[Client].text.String(); got != strings.Join(said, "") {
		f.t.Errorf("%d octets of the client", len(got))
	}
	if got := f.sides[Server].text.String(); got != replies {
		f.t.Errorf("the server said %q", got)
	}
}

// TestSuitesOfGo opens every suite of every version that crypto/tls can speak.
func TestSuitesOfGo(t *testing.T) {
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		for _, version := range suite.SupportedVersions {
			if version == tls.VersionTLS13 {
				continue // its suite cannot be chosen: see TestTLS13, and OpenSSL's test
			}
			t.Run(fmt.Sprint(tls.VersionName(version), " ", suite.Name), func(t *testing.T) {
				log := new(Log)
				client := &tls.Config{InsecureSkipVerify: true, KeyLogWriter: log, CipherSuites: []uint16{suite.ID},
					MinVersion: version, MaxVersion: version}
				server := &tls.Config{Certificates: certificates(), MinVersion: tls.VersionTLS10, CipherSuites: []uint16{suite.ID}}
				f := follow(t, log, talk(t, client, server))
				f.said()
				if f.suites[0] != suite.ID || f.versions[0] != version {
					t.Errorf("suite %04x of version %04x", f.suites[0], f.versions[0])
				}
			})
		}
	}
}

// TestResumption: of TLS 1.3 each connection has its secrets in the log; of
// TLS 1.2 crypto/tls writes none for one that resumes, and the ticket names
// that of the first.
func TestResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			log, resumed := new(Log), 0
			client := &tls.Config{InsecureSkipVerify: true, ServerName: "mail.test", KeyLogWriter: log, MaxVersion: version,
				ClientSessionCache: tls.NewLRUClientSessionCache(1),
				VerifyConnection: func(s tls.ConnectionState) error {
					if s.DidResume {
						resumed++
					}
					return nil
				}}
			server := &tls.Config{Certificates: certificates()}
			for range 3 {
				follow(t, log, talk(t, client, server)).said()
			}
			if resumed != 2 {
				t.Errorf("resumed %d times", resumed)
			}
		})
	}
}

// TestHelloRetryRequest: the second hello of a client has the random of its first.
func TestHelloRetryRequest(t *testing.T) {
	log := new(Log)
	client := &tls.Config{InsecureSkipVerify: true, KeyLogWriter: log, CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256}}
	server := &tls.Config{Certificates: certificates(), CurvePreferences: []tls.CurveID{tls.CurveP256}}
	chunks := talk(t, client, server)
	if !bytes.Contains(chunks[1].b, []byte{0xcf, 0x21, 0xad, 0x74}) {
		t.Fatal("the server did not ask for another hello")
	}
	follow(t, log, chunks).said()
}

// TestLogOfTheServer: either side may write the log.
func TestLogOfTheServer(t *testing.T) {
	log := new(Log)
	server := &tls.Config{Certificates: certificates(), KeyLogWriter: log}
	follow(t, log, talk(t, &tls.Config{InsecureSkipVerify: true}, server)).said()
}
