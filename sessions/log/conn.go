package log

import (
	"net/netip"

	"github.com/mailtap/mailtap/sessions"
)

// connLines remembers what is common to the records of a connection: its
// mails, logins and end come soon behind each other.
type connLines [128]connLine

type connLine struct {
	conn *sessions.Conn // held, so that its address cannot become another's
	line []byte
}

// at gives the place of a connection, which may hold another one.
func (l *connLines) at(c *sessions.Conn) *connLine {
	return &l[(uint(c.Client.Port())^uint(c.Start.Nanosecond())>>10)%uint(len(l))]
}

// conn writes what is common to all records of a connection.
func (e Encoder) conn(b []byte, c *sessions.Conn) []byte {
	if e.known == nil {
		return e.appendConn(b, c)
	}
	k := e.known.at(c)
	if k.conn == c {
		return append(b, k.line...)
	}
	n := len(b)
	b = e.appendConn(b, c)
	k.conn, k.line = c, append(k.line[:0], b[n:]...)
	return b
}

// lastConn is conn for the last record of a connection, which is then forgotten.
func (e Encoder) lastConn(b []byte, c *sessions.Conn) []byte {
	if e.known != nil {
		if k := e.known.at(c); k.conn == c {
			k.conn = nil
			return append(b, k.line...)
		}
	}
	return e.appendConn(b, c)
}

// appendConn takes nil too, for an alert that no single connection raised.
func (e Encoder) appendConn(b []byte, c *sessions.Conn) []byte {
	b = text(b, `"sensor":`, e.Sensor)
	if c == nil {
		return b
	}
	b = text(b, `"session":`, c.ID)
	b = text(b, `"community_id":`, c.CommunityID)
	b = appendEndpoint(b, `"client":{`, c.Client, "")
	b = appendEndpoint(b, `"server":{`, c.Server, c.ServerName)
	b = text(b, `"role":`, c.Role)
	return text(b, `"direction":`, c.Direction)
}

func appendEndpoint(b []byte, key string, ap netip.AddrPort, name string) []byte {
	if !ap.IsValid() {
		return b
	}
	b = open(b, key)
	b = append(b, `"ip":"`...)
	b = ap.Addr().WithZone("").AppendTo(b)
	b = append(b, `","port":`...)
	b = appendUint(b, uint64(ap.Port()))
	b = append(b, ',')
	b = text(b, `"name":`, name)
	return append(end(b, '}'), ',')
}

func appendOrigin(b []byte, o *sessions.Origin) []byte {
	if o == nil {
		return b
	}
	b = appendEndpoint(b, `"origin":{`, o.Client, "")
	b = b[:len(b)-len(`},`)] // one field more
	b = append(b, ',')
	b = text(b, `"via":`, o.Via)
	return append(end(b, '}'), ',')
}

func appendLink(b []byte, c *sessions.Conn) []byte {
	if len(c.VLANs) == 0 && len(c.Tunnels) == 0 {
		return b
	}
	b = open(b, `"link":{`)
	if len(c.VLANs) > 0 {
		b = open(b, `"vlan":[`)
		for _, id := range c.VLANs {
			b = append(appendUint(b, uint64(id)), ',')
		}
		b = append(end(b, ']'), ',')
	}
	b = texts(b, `"tunnel":`, c.Tunnels)
	return append(end(b, '}'), ',')
}
