package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"time"
)

// patience is how long one name, or one connection, may take.
const patience = 5 * time.Second

// Target is somebody whom mailtap sends to.
type Target struct {
	Check   string // receiver, loki, syslog
	Name    string
	Network string // tcp, udp or unix
	Address string // host:port, or a path: nothing of an address that may be secret
	Try     string // what to do to try more than the connection
}

// Reach looks a target's name up and connects, and sends nothing.
func Reach(ctx context.Context, t Target) Finding {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	f := ok(t.Check, t.Name, "%s", t.Address)
	if t.Network != "unix" {
		host, _, err := net.SplitHostPort(t.Address)
		if err == nil && net.ParseIP(host) == nil {
			if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
				f.Found = fmt.Sprintf("%s: its name is not found (%s)", t.Address, dnsReason(err))
				return f.as(Problem, "nothing is delivered there", "look at the name and at /etc/resolv.conf of this machine")
			}
		}
	}
	begin := time.Now()
	d := net.Dialer{Timeout: patience}
	c, err := d.DialContext(ctx, t.Network, t.Address)
	if err != nil && t.Network == "unix" { // syslog's socket takes datagrams
		c, err = d.DialContext(ctx, "unixgram", t.Address)
	}
	if err != nil {
		f.Found = fmt.Sprintf("%s: no connection (%s)", t.Address, reason(err))
		return f.as(Problem, "nothing is delivered there; alerts and records wait in their queues", "start it, or open the way: port, firewall, route")
	}
	c.Close()
	if t.Network == "udp" {
		f.Found += ": its name is found"
		return f.meaning("UDP tells nobody whether anything arrives")
	}
	f.Found = fmt.Sprintf("%s: connected in %s", t.Address, time.Since(begin).Round(100*time.Microsecond))
	if t.Try != "" {
		f.Means = t.Try
	}
	return f
}

// reason is an error without what it was about, which stands before it.
func reason(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

func dnsReason(err error) string {
	var d *net.DNSError
	if errors.As(err, &d) {
		return d.Err
	}
	return err.Error()
}

// Program says whether a receiver's command can be run.
func Program(name, program string) Finding {
	if _, err := exec.LookPath(program); err != nil {
		return ok("receiver", name, "%s cannot be run", program).as(Problem, "its alerts go nowhere", "install it, or make it executable for mailtap's user")
	}
	return ok("receiver", name, "%s can be run", program)
}

// Listener says whether an address can be listened on, where no mailtap answers
// there.
func Listener(address string) Finding {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return ok("listener", address, "%s", reason(err)).as(Problem, "run does not start: another program has it, or it is no address of this machine", "web.listen-address with another one; ss -ltnp shows who has it")
	}
	l.Close()
	return ok("listener", address, "free").meaning("no mailtap runs here")
}
