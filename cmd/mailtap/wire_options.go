package main

import (
	"cmp"
	"maps"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/mailtap/mailtap/capture"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
)

// What the configuration's values become in each room's own terms.

// sensor is the name of this tap.
func (c *Config) sensor() string {
	if c.Sensor != "" {
		return c.Sensor
	}
	name, err := os.Hostname()
	if err != nil {
		return "mailtap"
	}
	return name
}

func prefixesOf(list []Prefix) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, p := range list {
		out[i] = netip.Prefix(p)
	}
	return out
}

// words turns a list of named texts into plain ones.
func words[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}

// roles lists ports with their roles, sorted: the same configuration gives
// the same options.
func (c *Config) roles() []sessions.PortRole {
	var out []sessions.PortRole
	for role, ports := range c.Capture.Ports {
		for _, p := range ports {
			out = append(out, sessions.PortRole{Port: uint16(p), Role: string(role)})
		}
	}
	slices.SortFunc(out, func(a, b sessions.PortRole) int { return cmp.Compare(a.Port, b.Port) })
	return out
}

func (c *Config) ports() []uint16 {
	var out []uint16
	for _, r := range c.roles() {
		out = append(out, r.Port)
	}
	return out
}

func (c *Config) roleNames() []string {
	names := map[string]bool{sessions.RoleRelay: true, sessions.RoleSubmission: true, sessions.RoleSubmissions: true, sessions.RoleLMTP: true}
	for role := range c.Capture.Ports {
		names[string(role)] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func (c *Config) serverNames() []string {
	var out []string
	for _, s := range c.Servers {
		out = append(out, string(s.Name))
	}
	return out
}

func (c *Config) decoder() packet.Decoder {
	ports := &packet.PortSet{}
	ports.Add(c.ports()...)
	return packet.Decoder{Ports: ports, OtherPorts: c.Capture.AllPorts}
}

func (c *Config) trackerOptions() sessions.Options {
	o := sessions.Options{Sensor: c.sensor(), Home: prefixesOf(c.Home.Networks), Ports: c.roles(), Limits: c.Limits.limits(), HeadersOnly: !c.MIME.Attachments}
	for _, s := range c.Servers {
		o.Server = append(o.Server, sessions.NamedServer{Name: string(s.Name), Networks: prefixesOf(s.Addresses)})
	}
	return o
}

func (l *LimitsConfig) limits() sessions.Limits {
	return sessions.Limits{
		Connections: int(l.Connections), OutOfOrder: int(l.OutOfOrder), HeldTotal: int(l.HeldTotal), HeldSegments: int(l.HeldSegments),
		Waiting: int(l.Waiting), Pending: int(l.Pending), Mails: int(l.Mails), MailsSize: int(l.MailsSize), Recipients: int(l.Recipients),
		Extensions: int(l.Extensions), Auths: int(l.Auths), Exchange: int(l.Exchange), Line: int(l.Line), Reply: int(l.Reply), Header: int(l.Header),
		TLSWaiting: int(l.TLSWaiting), Parts: int(l.Parts), Depth: int(l.Depth), Attachments: int(l.Attachments), FileName: int(l.FileName), ArchiveNames: int(l.ArchiveNames),
		IdleTimeout: time.Duration(l.IdleTimeout), SynTimeout: time.Duration(l.SynTimeout), LingerTimeout: time.Duration(l.LingerTimeout),
	}
}

// spareSockets is how often an interface may be made anew after cap_net_raw is
// given up; then run ends, for who started it to start it again.
const spareSockets = 16

func (c *Config) liveOptions(name string) capture.LiveOptions {
	o := capture.LiveOptions{
		Interface: name, Method: capture.Method(c.Capture.Method), Ports: c.ports(), NoTunnels: !c.Capture.Tunnels,
		Snaplen: int(c.Capture.SnapLength), BufferBytes: int(c.Capture.Buffer), BlockBytes: int(c.Capture.Block),
		NoPromiscuous: !c.Capture.Promiscuous, Spares: spareSockets,
	}
	if c.Capture.AllPorts {
		o.Ports = nil
	}
	return o
}
