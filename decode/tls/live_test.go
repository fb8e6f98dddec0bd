package tls

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	gotls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

// tap records what a client wrote and read, in its order.
type tap struct {
	net.Conn
	chunks []chunk
}

func (c *tap) Write(b []byte) (int, error) {
	c.chunks = append(c.chunks, chunk{true, append([]byte(nil), b...)})
	return c.Conn.Write(b)
}

func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.chunks = append(c.chunks, chunk{false, append([]byte(nil), b[:n]...)})
	return n, err
}

func selfSignedCertificate(t testing.TB) gotls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0xBEEF),
		Subject:      pkix.Name{CommonName: "mail.corp.test", Organization: []string{`Test, "Inc"`}},
		NotBefore:    time.Unix(0, 0), NotAfter: time.Unix(4e9, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return gotls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// talk makes a connection in which the client says what it is told to and
// the server answers each line with 250.
func talk(t testing.TB, client, server *gotls.Config, lines ...string) []chunk {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Skip("needs the loopback interface: ", err)
	}
	defer listener.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		if b, err := listener.Accept(); err == nil {
			defer b.Close()
			answer(gotls.Server(b, server), len(lines))
		}
	}()
	a, err := net.DialTimeout("tcp", listener.Addr().String(), 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	a.SetDeadline(time.Now().Add(20 * time.Second))
	c := &tap{Conn: a}
	conn := gotls.Client(c, client)
	reply := make([]byte, len(liveReply))
	for _, line := range lines {
		if _, err := io.WriteString(conn, line); err != nil {
			break
		}
		if _, err := io.ReadFull(conn, reply); err != nil {
			break
		}
	}
	a.Close()
	<-done
	return c.chunks
}

const liveReply = "250 2.0.0 Ok\r\n"

func answer(conn *gotls.Conn, lines int) {
	read := bufio.NewReader(conn)
	for range lines {
		if _, err := read.ReadString('\n'); err != nil {
			return
		}
		if _, err := io.WriteString(conn, liveReply); err != nil {
			return
		}
	}
}

func TestHelloRetryRequest(t *testing.T) {
	chunks := talk(t,
		&gotls.Config{InsecureSkipVerify: true, ServerName: "mail.corp.test", CurvePreferences: []gotls.CurveID{gotls.X25519, gotls.CurveP384}},
		&gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}, CurvePreferences: []gotls.CurveID{gotls.CurveP384}},
		"EHLO client.test\r\n", "QUIT\r\n")
	if !strings.Contains(string(chunks[1].b)+string(chunks[2].b), retryRandom) {
		t.Fatal("no HelloRetryRequest was made")
	}
	for _, c := range [][]chunk{chunks, octets(chunks)} {
		f := watch(c).Facts()
		if f.Version != "TLSv1.3" || f.SNI != "mail.corp.test" || !f.Established || !f.ClosedByQuit || f.Resumed || f.Damaged {
			t.Errorf("facts %+v", f)
		}
		if first := watch(c[:1]); len(c) == len(chunks) && (f.JA3 != first.Facts().JA3 || f.JA4 != first.Facts().JA4 || f.JA3 == "") || !f.Retried || f.OfferedVersion != "TLSv1.3" {
			t.Errorf("fingerprint of %+v", f)
		}
	}
	// The second hello alone is read, but is no fingerprint of the client.
	w := new(Watch)
	w.ClientGap(int64(len(chunks[0].b)))
	for _, c := range chunks[1:] {
		w.take(c)
	}
	if f := w.Facts(); !f.ClientHello || !f.Retried || f.SNI != "mail.corp.test" || f.JA3 != "" || f.JA4 != "" || f.JA3S == "" || !f.Established {
		t.Errorf("facts %+v", f)
	}
	// The request alone is no ServerHello.
	w = new(Watch)
	for _, c := range chunks[:2] {
		w.take(c)
	}
	if f := w.Facts(); f.ServerHello || f.Version != "" || !f.Retried || f.JA3S != "" {
		t.Errorf("facts %+v", f)
	}
}

func TestResumption(t *testing.T) {
	for _, version := range []uint16{gotls.VersionTLS12, gotls.VersionTLS13} {
		client := &gotls.Config{InsecureSkipVerify: true, ServerName: "mail.corp.test", MaxVersion: version, ClientSessionCache: gotls.NewLRUClientSessionCache(1)}
		server := &gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}}
		for _, resumed := range []bool{false, true} {
			f := watch(talk(t, client, server, "EHLO client.test\r\n", "QUIT\r\n")).Facts()
			shown := version == gotls.VersionTLS12 && !resumed
			if f.Resumed != resumed || !f.Established || !f.ClosedByQuit || f.Certificate != nil != shown {
				t.Errorf("%s resumed %v: facts %+v", f.Version, resumed, f)
			}
		}
	}
}

func TestClientRefusesCertificate(t *testing.T) {
	for _, version := range []uint16{gotls.VersionTLS12, gotls.VersionTLS13} {
		chunks := talk(t, &gotls.Config{ServerName: "mail.corp.test", MaxVersion: version},
			&gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}}, "EHLO client.test\r\n")
		f := watch(chunks).Facts()
		if f.Established || !f.Failed || f.AlertFrom != "client" {
			t.Errorf("facts %+v", f)
		}
		if version == gotls.VersionTLS12 && f.AlertName != "unknown_ca" && f.AlertName != "bad_certificate" {
			t.Errorf("alert %q", f.AlertName)
		}
	}
}

func TestSelfSignedName(t *testing.T) {
	chunks := talk(t, &gotls.Config{InsecureSkipVerify: true, MaxVersion: gotls.VersionTLS12},
		&gotls.Config{Certificates: []gotls.Certificate{selfSignedCertificate(t)}}, "QUIT\r\n")
	got := watch(chunks).Facts().Certificate
	got.SHA256 = ""
	want := &Certificate{
		Key: "ECDSA-P-256", SignatureAlgorithm: "ECDSA-SHA256", commonName: "mail.corp.test",
		Subject: `CN=mail.corp.test,O=Test\, \"Inc\"`, Issuer: `CN=mail.corp.test,O=Test\, \"Inc\"`, Serial: "beef",
		NotBefore: time.Unix(0, 0).UTC(), NotAfter: time.Unix(4e9, 0).UTC(), SelfSigned: true,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("certificate\n%+v, want\n%+v", got, want)
	}
}

// TestClientCertificate: up to TLS 1.2 it stands in clear, as does the request.
func TestClientCertificate(t *testing.T) {
	own := selfSignedCertificate(t)
	for _, version := range []uint16{gotls.VersionTLS10, gotls.VersionTLS11, gotls.VersionTLS12, gotls.VersionTLS13} {
		for _, asked := range []bool{false, true} {
			for _, held := range []bool{false, true} {
				client := &gotls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}
				server := &gotls.Config{MinVersion: version, Certificates: []gotls.Certificate{selfSignedCertificate(t)}}
				if held {
					client.Certificates = []gotls.Certificate{own}
				}
				if asked {
					server.ClientAuth = gotls.RequestClientCert
				}
				chunks := talk(t, client, server, "EHLO client.test\r\n", "QUIT\r\n")
				f := watch(chunks).Facts()
				if !f.Established || f.Damaged || !reflect.DeepEqual(watch(octets(chunks)).Facts(), f) {
					t.Errorf("%s: facts %+v", f.Version, f)
				}
				clear := version < gotls.VersionTLS13
				if f.CertificateRequested != (clear && asked) || f.ClientCertificate != nil != (clear && asked && held) {
					t.Errorf("%s, asked %v, held %v: facts %+v", f.Version, asked, held, f)
				}
				if f.ClientCertificate != nil && (f.ClientCertificate.Serial != "beef" || f.ClientCertificate.SHA256 == f.Certificate.SHA256) {
					t.Errorf("certificate %+v", f.ClientCertificate)
				}
			}
		}
	}
}
