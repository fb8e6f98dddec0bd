package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture"
)

// The types below read one value from text. They are strict, because a value
// that is taken for something else shows only when it is too late: 70000 in
// 16 bits is 4464, a timeout of 5 is five nanoseconds.
type (
	// Duration is a time with its unit.
	Duration time.Duration
	// Size is a number of octets, with a unit if it likes.
	Size int64
	// Count is a number above zero.
	Count int
	// Shards is into how many parts the work is split; 0: one for each core.
	Shards int
	// Percent is a share, from 1 to 100.
	Percent int
	// Port is a TCP port.
	Port uint16
	// Prefix is a network; a bare address is a network of one.
	Prefix netip.Prefix
	// Name is a short word: an interface, a role, a server.
	Name string
	// Interface is where packets come from: an interface, - or a named pipe.
	Interface string
	// Method is how packets are taken from an interface.
	Method string
	// Role says what a port is for. Lower case: viper folds keys.
	Role string
	// Domain is a mail domain in lower case.
	Domain string
	// Account is a user name as it logs in, in lower case: user or user@domain.
	Account string
	// Path is a file or folder; not empty where it is given.
	Path string
	// URL is an absolute http or https address.
	URL string
	// SyslogURL is a way to a syslog server.
	SyslogURL string
	// ListenAddress is host:port.
	ListenAddress string
	// LogLevel is the least severity of the program's own log.
	LogLevel string
	// LogFormat is the form of the program's own log.
	LogFormat string
	// RecordKind is a value of the records' field event.
	RecordKind string
	// Severity is that of an alert.
	Severity string
)

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	text := string(b)
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return fmt.Errorf("%s has no unit, write for example %ss, %sm or %sh", text, text, text, text)
	}
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no duration above zero, write for example 500ms, 5s, 2m or 1h", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(b []byte) error {
	digits, shift := string(b), 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(digits, unit); ok {
			digits, shift = strings.TrimSpace(rest), 10*(i+1)
			break
		}
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || v <= 0 || v > 1<<40>>shift {
		return fmt.Errorf("%q is no size, write octets from 1 to 1024GiB, for example 65536, 64KiB or 16MiB", b)
	}
	*s = Size(v << shift)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Count) UnmarshalText(b []byte) error {
	v, err := strconv.ParseInt(strings.ReplaceAll(string(b), "_", ""), 10, 32)
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is no count, write a number from 1 to 2147483647", b)
	}
	*c = Count(v)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Percent) UnmarshalText(b []byte) error {
	v, err := strconv.Atoi(string(b))
	if err != nil || v < 1 || v > 100 {
		return fmt.Errorf("%q is no percentage, allowed is a number from 1 to 100", b)
	}
	*p = Percent(v)
	return nil
}

// maxShards bounds the parts of the work.
const maxShards = 64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Shards) UnmarshalText(b []byte) error {
	if string(b) == "auto" {
		*s = 0
		return nil
	}
	v, err := strconv.Atoi(string(b))
	if err != nil || v < 1 || v > maxShards {
		return fmt.Errorf("%q is no number of shards, allowed is auto and 1 to %d", b, maxShards)
	}
	*s = Shards(v)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (s Shards) MarshalText() ([]byte, error) {
	if s == 0 {
		return []byte("auto"), nil
	}
	return strconv.AppendInt(nil, int64(s), 10), nil
}

// number is how many there are on this machine.
func (s Shards) number() int {
	if s == 0 {
		return min(runtime.GOMAXPROCS(0), maxShards)
	}
	return int(s)
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Port) UnmarshalText(b []byte) error {
	v, err := strconv.ParseUint(string(b), 10, 16)
	if err != nil || v == 0 {
		return fmt.Errorf("%q is no TCP port, allowed is 1 to 65535", b)
	}
	*p = Port(v)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Prefix) UnmarshalText(b []byte) error {
	if a, err := netip.ParseAddr(string(b)); err == nil && a.Zone() == "" {
		*p = Prefix(netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	v, err := netip.ParsePrefix(string(b))
	if err != nil {
		return fmt.Errorf("%q is no network, write for example 192.0.2.0/24, 2001:db8::/32 or a bare address", b)
	}
	if v != v.Masked() {
		return fmt.Errorf("%s has bits set behind the prefix, did you mean %s?", v, v.Masked())
	}
	*p = Prefix(v)
	return nil
}

// String gives the network as it is written in the file.
func (p Prefix) String() string { return netip.Prefix(p).String() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (n *Name) UnmarshalText(b []byte) error {
	ok := len(b) > 0 && len(b) <= 63 && !slices.ContainsFunc(b, func(c byte) bool {
		return c <= ' ' || c >= 0x7f || strings.IndexByte(`"'{}[],=\`, c) >= 0
	})
	if !ok {
		return fmt.Errorf("%q is no name, write 1 to 63 letters, digits or signs without blanks and quotes", b)
	}
	*n = Name(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler. What has a slash is a
// path: no interface's name has one.
func (i *Interface) UnmarshalText(b []byte) error {
	name := Name(b)
	if !strings.Contains(string(b), "/") {
		if err := name.UnmarshalText(b); err != nil {
			return fmt.Errorf("%q is no interface, write its name, any, - for standard input or the path of a named pipe", b)
		}
	} else if len(b) > 4096 || slices.ContainsFunc(b, func(c byte) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("%.64q is no path of a named pipe, write up to 4096 octets without control characters", b)
	}
	*i = Interface(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *Method) UnmarshalText(b []byte) error {
	return oneOf(m, b, "capture method", string(capture.MethodAuto), string(capture.MethodRing), string(capture.MethodPcap))
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Role) UnmarshalText(b []byte) error {
	ok := len(b) > 0 && len(b) <= 32 && !slices.ContainsFunc(b, func(c byte) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_'
	})
	if !ok {
		return fmt.Errorf("%q is no role, write 1 to 32 lower-case letters and digits, for example relay, submission, submissions or lmtp", b)
	}
	*r = Role(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Domain) UnmarshalText(b []byte) error {
	text := strings.TrimSuffix(strings.ToLower(string(b)), ".")
	if text == "" || len(text) > 253 || strings.ContainsAny(text, " @/*") || strings.HasPrefix(text, ".") {
		return fmt.Errorf("%q is no mail domain, write for example example.org", b)
	}
	*d = Domain(text)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Account) UnmarshalText(b []byte) error {
	text := strings.ToLower(string(b))
	user, domain, qualified := strings.Cut(text, "@")
	if user == "" || qualified && domain == "" || len(text) > 320 || strings.ContainsAny(text, " \t*,") {
		return fmt.Errorf("%q is no account, write a user name as it logs in, for example postmaster or boss@example.org", b)
	}
	*a = Account(text)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Path) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		return errors.New("the path is empty, leave the key out instead")
	}
	*p = Path(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler. The text is not quoted
// in the error: a webhook's address is often its secret.
func (u *URL) UnmarshalText(b []byte) error {
	v, err := url.Parse(string(b))
	if err != nil || v.Scheme != "http" && v.Scheme != "https" || v.Host == "" {
		return errors.New("that is no address of a receiver, write http://host:port/path or https://host/path")
	}
	*u = URL(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (u *SyslogURL) UnmarshalText(b []byte) error {
	network, address, _ := strings.Cut(string(b), "://")
	ok := network == "unix" && strings.HasPrefix(address, "/") && len(address) <= 100
	if network == "udp" || network == "tcp" || network == "tls" {
		ok = new(HostPort).UnmarshalText([]byte(address)) == nil
	}
	if !ok {
		return fmt.Errorf("%.300q is no way to a syslog server, write udp://host:514, tcp://host:601, tls://host:6514 or unix:///dev/log", b)
	}
	*u = SyslogURL(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *ListenAddress) UnmarshalText(b []byte) error {
	_, port, err := net.SplitHostPort(string(b))
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return fmt.Errorf("%q is no address to listen on, write host:port, for example 127.0.0.1:9025 or :9025, with a port of 0 to 65535", b)
	}
	*a = ListenAddress(b)
	return nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *LogLevel) UnmarshalText(b []byte) error {
	return oneOf(l, b, "log level", "debug", "info", "warn", "error")
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *LogFormat) UnmarshalText(b []byte) error {
	return oneOf(f, b, "log format", "logfmt", "json")
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *RecordKind) UnmarshalText(b []byte) error {
	return oneOf(k, b, "record kind", "session", "mail", "auth", "alert")
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Severity) UnmarshalText(b []byte) error {
	return oneOf(s, b, "severity", alerts.Severities[:]...)
}

func oneOf[T ~string](to *T, b []byte, what string, allowed ...string) error {
	if !slices.Contains(allowed, string(b)) {
		return fmt.Errorf("%q is no %s, allowed is %s", b, what, strings.Join(allowed, ", "))
	}
	*to = T(b)
	return nil
}
