package main

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// access says who may have what of the listener.
type access struct {
	file      *webFile
	open      []WebArea
	hosts     []string // under which browsers may ask
	passwords *passwords
	refused   *refusals
	origin    *http.CrossOriginProtection
}

func newAccess(cfg *WebConfig, file *webFile, refused *refusals) *access {
	a := &access{file: file, open: cfg.Open, hosts: words(cfg.Hosts), passwords: newPasswords(refused), refused: refused, origin: http.NewCrossOriginProtection()}
	if host, _, err := net.SplitHostPort(string(cfg.ListenAddress)); err == nil && host != "" {
		a.hosts = append(a.hosts, strings.ToLower(host))
	}
	if name, err := os.Hostname(); err == nil {
		a.hosts = append(a.hosts, strings.ToLower(name))
	}
	return a
}

// to guards a handler of an area.
func (a *access) to(area WebArea, h http.Handler) http.Handler {
	if area == areaAdmin {
		h = a.origin.Handler(h) // no page of another site makes a browser do it
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		terms := a.file.terms()
		for name, value := range terms.config.HTTPConfig.Header {
			w.Header().Set(name, value)
		}
		switch {
		case terms.limiter != nil && !terms.limiter.Allow():
			a.refused.add(refusedRate)
			http.Error(w, "too many requests", http.StatusTooManyRequests)
		case (area == areaPage || area == areaAdmin) && !a.knows(r.Host):
			a.refused.add(refusedHost)
			http.Error(w, "this name of the host is not known here; add it to web.hosts", http.StatusForbidden)
		case !slices.Contains(a.open, area) && len(terms.config.Users) > 0 && !a.passwords.let(w, r, terms):
		case area == areaAdmin && len(terms.config.Users) == 0 && !a.trusts(r):
			a.refused.add(refusedPassword)
			http.Error(w, "without basic_auth_users in web.config.file this is for clients on this machine only", http.StatusForbidden)
		default:
			h.ServeHTTP(w, r)
		}
	})
}

// knows says whether a browser may ask under a name. A hostile site can have its
// own name lead to an address of ours (DNS rebinding), but not a name of this
// list, and not an address.
func (a *access) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(strings.Trim(host, "[]")), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || slices.Contains(a.hosts, host)
}

// trusts says whether a client is on this machine or has shown a certificate.
func (a *access) trusts(r *http.Request) bool {
	address, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && address.Addr().Unmap().IsLoopback() || a.file.asksForCertificate()
}

func isLoopback(a net.Addr) bool {
	address, err := netip.ParseAddrPort(a.String())
	return err == nil && address.Addr().Unmap().IsLoopback()
}
