package keys

import "crypto/sha256"

// Sender is the side that sends the records of a direction.
type Sender uint8

const (
	Client Sender = iota
	Server
)

// Epoch is what the keys of TLS 1.3 protect (RFC 8446, 2). Older versions
// have no epochs: their keys serve from ChangeCipherSpec to the next one.
type Epoch uint8

const (
	// Application is from the record after the sender's Finished on.
	Application Epoch = iota
	// HandshakeMessages is from the record after the ServerHello to the
	// sender's Finished. Of the client: from its EndOfEarlyData, if it sent
	// early data that the server took.
	HandshakeMessages
	// EarlyData is what the client sends before the server's hello has come.
	EarlyData
)

// Handshake is what the hellos of a connection agreed on, and what names its
// secrets in a key log.
type Handshake struct {
	// Version and Suite as the server chose them; Version is that of the
	// extension supported_versions where the server sent it (0x0304).
	Version, Suite uint16
	ClientRandom   [32]byte
	ServerRandom   [32]byte
	// EncryptThenMAC: both hellos had the extension (RFC 7366). It changes
	// nothing for suites that are not CBC.
	EncryptThenMAC bool

	// PreMaster is the encrypted pre-master secret of the client's key exchange
	// without its length, for suites with RSA key exchange; its first 8 octets
	// name it. Empty where it is not known.
	PreMaster []byte
	// ExtendedMaster: both hellos had the extension (RFC 7627). A pre-master
	// secret is then of use only with SessionHash, the hash of the handshake's
	// messages up to the client's key exchange.
	ExtendedMaster bool
	SessionHash    []byte
	// SessionID is that of the server's hello, empty where there is none.
	SessionID []byte
	// Ticket is the session ticket of the client's hello (RFC 5077), where the
	// server took it: its ChangeCipherSpec followed without a key exchange. A
	// ticket that it declined names another secret than that of the connection.
	Ticket []byte
}

// label says which secret of a connection it is.
type label uint8

const (
	master label = iota // or pre-master, under the name of the encrypted one
	clientHandshake
	serverHandshake
	clientTraffic
	serverTraffic
	clientEarly
	labels
)

// trafficLabel is the secret that protects an epoch (RFC 8446, 7.1).
func trafficLabel(from Sender, epoch Epoch) (l label, known bool) {
	switch {
	case epoch == Application && from == Client:
		return clientTraffic, true
	case epoch == Application && from == Server:
		return serverTraffic, true
	case epoch == HandshakeMessages && from == Client:
		return clientHandshake, true
	case epoch == HandshakeMessages && from == Server:
		return serverHandshake, true
	case epoch == EarlyData && from == Client:
		return clientEarly, true
	}
	return 0, false
}

// masterOf finds the master secret of a connection up to TLS 1.2, by any of
// its names. The caller wipes it.
func (l *Log) masterOf(p protection, hello *Handshake) (s secret, known bool) {
	if s, known = l.find(name(byRandom, hello.ClientRandom[:]), master); known {
		return s, true
	}
	if len(hello.PreMaster) >= preMasterName && (!hello.ExtendedMaster || len(hello.SessionHash) > 0) {
		preMaster, known := l.find(name(byPreMaster, hello.PreMaster[:preMasterName]), master)
		if known {
			defer preMaster.wipe()
			return fromPreMaster(p.prf, hello, preMaster.octets()), true
		}
	}
	if len(hello.Ticket) > 0 {
		if s, known = l.find(ticketName(hello.Ticket), master); known {
			return s, true
		}
	}
	if n := len(hello.SessionID); n > 0 && n <= maxName {
		return l.find(name(bySession, hello.SessionID), master)
	}
	return secret{}, false
}

// ticketName is the hash of a ticket, which may have any length.
func ticketName(ticket []byte) id {
	sum := sha256.Sum256(ticket)
	return name(byTicket, sum[:])
}

// Remember keeps the master secret of a connection up to TLS 1.2 under its
// SessionID and the ticket that its server gave (NewSessionTicket), each
// unless empty, so that a connection that resumes the session can be opened:
// some (crypto/tls) write no line for it. Each counts for MaxSecrets.
func (l *Log) Remember(hello *Handshake, ticket []byte) error {
	p, known := protectionOf(hello.Suite, hello.Version)
	if !known || hello.Version == version13 {
		return Unsupported
	}
	s, known := l.masterOf(p, hello)
	if !known {
		return NoSecret
	}
	defer s.wipe()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(ticket) > 0 {
		l.put(ticketName(ticket), master, &s)
	}
	if n := len(hello.SessionID); n > 0 && n <= maxName {
		l.put(name(bySession, hello.SessionID), master, &s)
	}
	return nil
}

// trafficOf finds the secret of an epoch of TLS 1.3. One that is not of the
// suite's length is of no use.
func (l *Log) trafficOf(p protection, hello *Handshake, from Sender, epoch Epoch) (s secret, known bool) {
	which, known := trafficLabel(from, epoch)
	if !known {
		return secret{}, false
	}
	s, known = l.find(name(byRandom, hello.ClientRandom[:]), which)
	if int(s.n) != p.prf.Size() {
		s.wipe()
		return secret{}, false
	}
	return s, known
}
