package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// checker holds values against each other.
type checker struct{ found []problem }

func (c *checker) fail(key, format string, args ...any) {
	c.found = append(c.found, problem{key: key, what: fmt.Sprintf(format, args...)})
}

// check lists what is impossible although each value alone is well formed.
func check(cfg *Config) []problem {
	c := &checker{}
	c.ports(cfg.Capture.Ports)
	c.capture(&cfg.Capture)
	c.servers(cfg.Servers)
	if cfg.Memory < leastMemory {
		c.fail("memory", "%d octets, allowed is 16MiB and more", cfg.Memory)
	}
	unique(c, "home.monitored_accounts", cfg.Home.MonitoredAccounts)
	c.metrics(&cfg.Metrics)
	c.evidence(&cfg.Alerts.Evidence)
	c.privacy(cfg)
	c.sinks(cfg)
	c.web(&cfg.Web)
	set, bad := loadRules(&cfg.Alerts.Rules)
	if bad != nil {
		c.found = append(c.found, *bad)
	}
	c.receivers(cfg.Alerts.Receivers, ruleNames(set))
	return c.found
}

func (c *checker) sinks(cfg *Config) {
	unique(c, "log.records.kinds", cfg.Log.Records.Kinds)
	unique(c, "loki.kinds", cfg.Loki.Kinds)
	unique(c, "syslog.kinds", cfg.Syslog.Kinds)
	if size := cfg.Log.Records.RotateSize; size > 0 && size < 1<<20 {
		c.fail("log.records.rotate_size", "%d octets, allowed is 1MiB and more", size)
	}
	if every := cfg.Log.Records.RotateEvery; every > 0 && every < Duration(time.Minute) {
		c.fail("log.records.rotate_every", "%s, allowed is 1m and more", time.Duration(every))
	}
	if cfg.Loki.BatchSize > cfg.Loki.QueueSize {
		c.fail("loki.batch_size", "%d octets are more than loki.queue_size (%d)", cfg.Loki.BatchSize, cfg.Loki.QueueSize)
	}
	if 2*cfg.Loki.BatchSize > cfg.Loki.SpoolSize {
		c.fail("loki.spool_size", "%d octets are less than twice loki.batch_size (%d)", cfg.Loki.SpoolSize, cfg.Loki.BatchSize)
	}
	if size := cfg.Syslog.MessageSize; size < 480 || size > 1<<20 {
		c.fail("syslog.message_size", "%d octets, allowed is 480 to 1MiB", size)
	}
	if (cfg.Syslog.CertFile == "") != (cfg.Syslog.KeyFile == "") {
		c.fail("syslog.cert_file", "cert_file and key_file belong together")
	}
	if tls := strings.HasPrefix(string(cfg.Syslog.URL), "tls:"); !tls && (cfg.Syslog.CAFile != "" || cfg.Syslog.CertFile != "") {
		c.fail("syslog.ca_file", "certificates belong to a URL that begins with tls://")
	}
}

// ports refuses a port that has two roles.
func (c *checker) ports(ports map[Role][]Port) {
	owner := make(map[Port]Role)
	for _, role := range slices.Sorted(maps.Keys(ports)) {
		for i, port := range ports[role] {
			if other, taken := owner[port]; taken {
				c.fail(fmt.Sprintf("capture.ports.%s[%d]", role, i), "port %d has the role %s already, one role is allowed", port, other)
			}
			owner[port] = role
		}
	}
}

func (c *checker) capture(cfg *CaptureConfig) {
	unique(c, "capture.interfaces", cfg.Interfaces)
	if cfg.SnapLength < 96 || cfg.SnapLength > 262144 {
		c.fail("capture.snap_length", "%d octets, allowed is 96 to 262144", cfg.SnapLength)
	}
	if cfg.Buffer < 128<<10 || cfg.Buffer > 1<<30 {
		c.fail("capture.buffer", "%d octets, allowed is 128KiB to 1GiB", cfg.Buffer)
		return // a block is held against it
	}
	if cfg.Block < 64<<10 || cfg.Block > 16<<20 {
		c.fail("capture.block", "%d octets, allowed is 64KiB to 16MiB", cfg.Block)
	} else if cfg.Block > cfg.Buffer/2 {
		c.fail("capture.block", "%d octets are more than half of capture.buffer (%d), allowed is 64KiB to %d, or a capture.buffer of %d and more", cfg.Block, cfg.Buffer, cfg.Buffer/2, 2*cfg.Block)
	}
}

func (c *checker) servers(servers []Server) {
	var names []Name
	for i, s := range servers {
		key := fmt.Sprintf("servers[%d]", i)
		names = append(names, s.Name)
		switch {
		case s.Name == "":
			c.fail(key, "has no name")
		case s.Name == "other":
			c.fail(key+".name", "other is what metrics call every server without a name, choose another one")
		case len(s.Addresses) == 0:
			c.fail(key, "%s has no addresses", s.Name)
		case slices.Contains(names[:i], s.Name):
			c.fail(key+".name", "%s stands twice", s.Name)
		}
	}
}

func (c *checker) evidence(e *EvidenceConfig) {
	const key = "alerts.evidence"
	if e.Memory < 1<<20 || e.Memory > 64<<30 {
		c.fail(key+".memory", "%d octets, allowed is 1MiB to 64GiB", e.Memory)
	} else if e.SessionSize > e.Memory {
		c.fail(key+".session_size", "%d octets are more than %s.memory (%d)", e.SessionSize, key, e.Memory)
	}
	if e.SessionPackets > maxEvidencePackets {
		c.fail(key+".session_packets", "%d packets, allowed is 1 to %d", e.SessionPackets, maxEvidencePackets)
	}
}

// maxEvidencePackets bounds the packets of a session that are looked for while
// the alert waits.
const maxEvidencePackets = 20_000

// unique refuses a value that stands twice in a list.
func unique[T ~string](c *checker, key string, values []T) {
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			c.fail(fmt.Sprintf("%s[%d]", key, i), "%s stands twice", v)
		}
	}
}
