package tls

import "testing"

// TestHellos: what is remembered is what is made anew, of hellos that differ in
// one thing each.
func TestHellos(t *testing.T) {
	list := func(numbers ...int) []byte { return vector(2, u16(numbers...)) }
	alpn := func(name string) []byte { return extension(extALPN, vector(2, vector(1, []byte(name)))) }
	name := extension(extServerName, vector(2, []byte{0}, vector(2, []byte("a.test"))))
	var hellos Hellos
	seen := map[[2]string]int{}
	for range 2 {
		for i, body := range [][]byte{
			helloBody(0x0303, u16(1, 2)),
			helloBody(0x0302, u16(1, 2)),
			helloBody(0x0303, u16(2, 1)),
			helloBody(0x0303, u16(0x0a0a, 1, 2), extension(0x1a1a)), // GREASE: the same as the first
			helloBody(0x0303, u16(1, 2), name),
			helloBody(0x0303, u16(1, 2), alpn("h2")),
			helloBody(0x0303, u16(1, 2), alpn("smtp")),
			helloBody(0x0303, u16(1, 2), extension(extSupportedVersions, vector(1, u16(0x0304)))),
			helloBody(0x0303, u16(1, 2), extension(extSupportedVersions, vector(1, u16(0x0303)))),
			helloBody(0x0303, u16(1, 2), extension(extSupportedGroups, list(1, 2))),
			helloBody(0x0303, u16(1, 2), extension(extSupportedGroups, list(2, 1))),
			helloBody(0x0303, u16(1, 2), extension(extPointFormats, vector(1, []byte{0, 1}))),
			helloBody(0x0303, u16(1, 2), extension(extPointFormats, vector(1, []byte{1, 0}))),
			helloBody(0x0303, u16(1, 2), extension(extSignatureAlgorithms, list(1, 2))),
			helloBody(0x0303, u16(1, 2), extension(extSignatureAlgorithms, list(2, 1))),
			helloBody(0x0303, u16(1), extension(2)),
			helloBody(0x0303, u16(1, 2), extension(2), extension(3)),
			helloBody(0x0303, u16(1, 2), extension(3), extension(2)),
		} {
			var anew Watch
			anew.clientHello(body)
			again := Watch{Options: &Options{Hellos: &hellos}}
			again.clientHello(body)
			f := again.Facts()
			if f != anew.Facts() || len(f.JA3) != 32 || len(f.JA4) != 36 {
				t.Errorf("hello %d: remembered\n%+v, want\n%+v", i, f, anew.Facts())
			}
			seen[[2]string{f.JA3, f.JA4}]++
		}
	}
	if len(seen) != 17 || len(hellos.clients.by) != 17 {
		t.Errorf("%d fingerprints, %d remembered", len(seen), len(hellos.clients.by))
	}
}

// TestHellosAreBounded: hostile hellos push each other out.
func TestHellosAreBounded(t *testing.T) {
	var hellos Hellos
	o := &Options{Hellos: &hellos}
	for i := range 3 * maxHellos {
		w := Watch{Options: o}
		w.clientHello(helloBody(i, u16(i)))
		w.serverHello(serverHelloBody(0x0303, i))
		if w.facts.JA4 == "" || w.facts.JA3S == "" {
			t.Fatalf("no fingerprint of %d", i)
		}
	}
	long := make([]byte, 2*500)
	w := Watch{Options: o}
	if w.clientHello(helloBody(0x0303, long)); w.facts.JA4 == "" {
		t.Error("no fingerprint of a long hello")
	}
	for name, n := range map[string]int{"clients": len(hellos.clients.by), "servers": len(hellos.servers.by), "order": len(hellos.clients.order)} {
		if n != maxHellos {
			t.Errorf("%d %s remembered", n, name)
		}
	}
	// The newest are still there.
	if _, ok := hellos.clients.by[hellos.clients.order[(hellos.clients.next+maxHellos-1)%maxHellos]]; !ok {
		t.Error("the newest was forgotten")
	}
}
