package alerts

import (
	"fmt"
	"math/rand"
	"net/netip"
	"testing"
	"time"

	"github.com/mailtap/mailtap/sessions"
)

// BenchmarkFlood measures a login of a flood: 200,000 sources that fail as
// 100,000 users, ever another one.
func BenchmarkFlood(b *testing.B) {
	const sources, users, logins = 200_000, 100_000, 1_000_000
	rnd := rand.New(rand.NewSource(1))
	names := make([]string, users)
	for i := range names {
		names[i] = fmt.Sprintf("user%d@corp.test", i)
	}
	conns := make([]*sessions.Conn, sources)
	for i := range conns {
		a := netip.AddrFrom4([4]byte{byte(100 + i>>16), byte(i >> 8), byte(i), 7})
		conns[i] = &sessions.Conn{ID: fmt.Sprintf("%024d", i), Client: netip.AddrPortFrom(a, 40000), Server: netip.MustParseAddrPort("10.20.0.25:587")}
	}
	var e *Engine
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if i%logins == 0 {
			e, _ = NewEngine(Builtin(), site)
		}
		c := conns[(i/5+rnd.Intn(600))%sources]
		at := t0.Add(time.Duration(i%logins) * 600 * time.Microsecond)
		e.Handle(&sessions.Authenticated{In: sessions.In{Conn: c, Time: at}, Auth: sessions.Auth{Mechanism: "PLAIN", Username: names[rnd.Intn(users)],
			Result: sessions.AuthFailure, Code: 535, Denied: true, SecretExposed: true}})
		i++
	}
}
