package main

import (
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// WebConfig is the listener of the page, metrics and health.
type WebConfig struct {
	ListenAddress ListenAddress   `mapstructure:"listen-address"`
	Page          bool            `mapstructure:"page"`
	Privacy       PrivacyOverride `mapstructure:"privacy"`
	Config        FileConfig      `mapstructure:"config"`
	Open          []WebArea       `mapstructure:"open"`
	Hosts         []HostName      `mapstructure:"hosts"`
	EnableReload  bool            `mapstructure:"enable_reload"`
	Pprof         bool            `mapstructure:"pprof"`
	Limits        WebLimits       `mapstructure:"limits"`
}

// WebLimits is what clients of the listener can hold.
type WebLimits struct {
	Connections           Count    `mapstructure:"connections"`
	ConnectionsPerAddress Count    `mapstructure:"connections_per_address"`
	Header                Size     `mapstructure:"header"`
	Body                  Size     `mapstructure:"body"`
	ReadHeaderTimeout     Duration `mapstructure:"read_header_timeout"`
	ReadTimeout           Duration `mapstructure:"read_timeout"`
	WriteTimeout          Duration `mapstructure:"write_timeout"`
	IdleTimeout           Duration `mapstructure:"idle_timeout"`
}

func defaultWeb() WebConfig {
	return WebConfig{ListenAddress: "127.0.0.1:9025", Page: true, Limits: WebLimits{
		Connections: 512, ConnectionsPerAddress: 64, Header: 16 << 10, Body: 64 << 10,
		ReadHeaderTimeout: Duration(10 * time.Second), ReadTimeout: Duration(30 * time.Second),
		WriteTimeout: Duration(time.Minute), IdleTimeout: Duration(2 * time.Minute),
	}}
}

type (
	// WebArea is a part of what the listener serves.
	WebArea string
	// HostName is a name under which a browser asks for the page.
	HostName string
)

// The areas. Admin cannot be opened.
const (
	areaMetrics WebArea = "metrics"
	areaHealth  WebArea = "health"
	areaPage    WebArea = "page"
	areaAdmin   WebArea = "admin"
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *WebArea) UnmarshalText(b []byte) error {
	return oneOf(a, b, "part of the listener that can be open", string(areaMetrics), string(areaHealth), string(areaPage))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *HostName) UnmarshalText(b []byte) error {
	text := strings.TrimSuffix(strings.ToLower(string(b)), ".")
	if _, err := netip.ParseAddr(text); err == nil || text == "" || len(text) > 253 || strings.ContainsAny(text, " \t/:@*,") {
		return fmt.Errorf("%q is no host name, write for example tap1.example.org, without a port; addresses are always allowed", b)
	}
	*h = HostName(text)
	return nil
}

// web holds the listener's keys against each other.
func (c *checker) web(cfg *WebConfig) {
	unique(c, "web.open", cfg.Open)
	unique(c, "web.hosts", cfg.Hosts)
	if len(cfg.Open) > 0 && cfg.Config.File == "" {
		c.fail("web.open", "nothing asks for a password: it belongs to a web.config.file with basic_auth_users")
	}
	l := &cfg.Limits
	if l.Header < 1<<10 || l.Header > 1<<20 {
		c.fail("web.limits.header", "%d octets, allowed is 1KiB to 1MiB", l.Header)
	}
	if l.ConnectionsPerAddress > l.Connections {
		c.fail("web.limits.connections_per_address", "%d are more than web.limits.connections (%d)", l.ConnectionsPerAddress, l.Connections)
	}
	if l.Connections > maxWebConnections {
		c.fail("web.limits.connections", "%d, allowed is 1 to %d", l.Connections, maxWebConnections)
	}
}

// maxWebConnections bounds the memory of clients, about 20 KiB each.
const maxWebConnections = 65536
