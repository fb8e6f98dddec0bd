package alerts

import (
	"net/netip"

	"github.com/mailtap/mailtap/sessions"
)

// sourceOf is who acts: the client that a proxy speaks for (PROXY protocol,
// XCLIENT), else the connection's own client. XFORWARD is left out: a filter
// tells by it where a mail came from, and sends it in the mail server's name
// (Postfix, XFORWARD_README: it grants nothing).
func sourceOf(ev sessions.Event) netip.Addr {
	if o := ev.Behind(); o != nil && o.Via != sessions.ViaXForward && o.Client.Addr().IsValid() {
		return o.Client.Addr()
	}
	return ev.Of().Client.Addr()
}

func (f fields) addOrigin() {
	f["source.ip"] = func(v view) netip.Addr { return sourceOf(v.event) }
	f["origin.ip"] = func(v view) string {
		if o := v.event.Behind(); o != nil {
			return o.Client.Addr().String()
		}
		return ""
	}
	f["origin.via"] = func(v view) string {
		if o := v.event.Behind(); o != nil {
			return o.Via
		}
		return ""
	}
}
