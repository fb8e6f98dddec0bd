package main

import (
	"fmt"
	"mime"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/mailtap/mailtap/alerts/receivers"
	"github.com/mailtap/mailtap/sessions/syslog"
)

type (
	// HeaderName is the name of an HTTP header.
	HeaderName string
	// MediaType is a value of Content-Type.
	MediaType string
	// TLSVersion is the least that a connection may have.
	TLSVersion string
	// HostPort is where to connect to.
	HostPort string
	// MailAddress is an address alone, without a name.
	MailAddress string
	// Facility is one of syslog's.
	Facility string
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *HeaderName) UnmarshalText(b []byte) error {
	ok := len(b) > 0 && len(b) <= 64 && !slices.ContainsFunc(b, func(c byte) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	})
	if !ok {
		return fmt.Errorf("%.64q is no name of a header, write letters, digits and dashes", b)
	}
	*h = HeaderName(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *MediaType) UnmarshalText(b []byte) error {
	kind, _, err := mime.ParseMediaType(string(b))
	if err != nil || !strings.Contains(kind, "/") {
		return fmt.Errorf("%.64q is no content type, write for example application/json or text/plain; charset=utf-8", b)
	}
	*m = MediaType(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *TLSVersion) UnmarshalText(b []byte) error {
	return oneOf(v, b, "TLS version", "TLS12", "TLS13")
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *HostPort) UnmarshalText(b []byte) error {
	host, port, err := net.SplitHostPort(string(b))
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(host, " /@") {
		return fmt.Errorf("%.300q is no server, write host:port, for example mail.example.org:587", b)
	}
	*h = HostPort(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *MailAddress) UnmarshalText(b []byte) error {
	if !receivers.IsMailAddress(string(b)) {
		return fmt.Errorf("%.300q is no mail address, write it alone, for example soc@example.org", b)
	}
	*m = MailAddress(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *Facility) UnmarshalText(b []byte) error {
	return oneOf(f, b, "facility", syslog.Facilities[:]...)
}
