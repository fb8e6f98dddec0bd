package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/mailtap/mailtap/metrics/deferrals"
)

// share is what one part of the program may hold.
type share struct {
	name   string
	octets Size
}

const (
	alertsHeld = 48 << 20 // 10,000 notifications of some 2 kB, 20,000 that fire, a second of the journal
	pageHeld   = 24 << 20 // 16 MiB of ladders, plots, tables, what waits for browsers
)

// shares is all that the program may hold, on Go's heap. What an operator can make
// larger stands here with its key; docs/surviving.md has the table.
func (c *Config) shares() []share {
	list := []share{
		{"memory", c.Memory},
		{"metrics.deferred.pairs", Size(c.Metrics.Deferred.Pairs) * deferrals.PairBytes},
	}
	add := func(there bool, name string, octets Size) {
		if there {
			list = append(list, share{name, octets})
		}
	}
	e := &c.Alerts.Evidence
	add(e.Directory != "", "alerts.evidence.memory", e.Memory+e.Memory/4)
	add(len(c.Alerts.Receivers) > 0, "alerts.receivers", alertsHeld)
	add(c.Web.Page, "web.page", pageHeld)
	add(true, "log.records.queue_size", c.Log.Records.QueueSize)
	// Of a batch there are the records, what is sent, and what the spool writes.
	add(c.Loki.URL != "", "loki.queue_size", c.Loki.QueueSize+4*c.Loki.BatchSize)
	add(c.Syslog.URL != "", "syslog.queue_size", c.Syslog.QueueSize)
	return list
}

// heap is what the program may hold before the collector works harder.
func (c *Config) heap() int64 {
	var sum Size
	for _, s := range c.shares() {
		sum += s.octets
	}
	return int64(sum)
}

// Rules remember groups (clients, logins, domains) within what memory leaves beside
// connections: 100,000 a rule, some 2.6 kB over all rules, where that is enough.
const (
	fullGroups = 100_000
	fullMemory = Size(512 << 20)
	fewGroups  = 5_000
)

func (c *Config) ruleGroups() int {
	return int(min(max(Size(fullGroups)*c.Memory/fullMemory, fewGroups), fullGroups))
}

// leastMemory is the least that connections can be given, and what they are left where a
// limit is smaller than all else: with less nearly all are let go at once.
const leastMemory = Size(16 << 20)

// ceiling is what the process may take.
type ceiling struct {
	octets int64
	of     string // who says so
}

// memoryCeiling is the smallest limit that the process has: GOMEMLIMIT, or that of
// its control group, of which a tenth is for what is not on the heap.
func memoryCeiling(root fs.FS) (least ceiling) {
	least.octets = math.MaxInt64
	if os.Getenv("GOMEMLIMIT") != "" { // what it says is the limit already
		least = ceiling{debug.SetMemoryLimit(-1), "GOMEMLIMIT"}
	}
	if n, ok := controlGroupLimit(root); ok && n-n/10 < least.octets {
		least = ceiling{n - n/10, "the control group's limit of " + mebis(n)}
	}
	return least
}

// fit takes from the connections what does not fit under a ceiling: they are what
// an attacker can make grow, and losing the longest idle is better than being
// killed. It says what it did; empty: nothing.
func (c *Config) fit(below ceiling) string {
	over := c.heap() - below.octets
	if over <= 0 {
		return ""
	}
	was := c.Memory
	c.Memory = min(max(was-Size(over), leastMemory), was)
	if over = c.heap() - below.octets; over > 0 {
		return fmt.Sprintf("memory is %s instead of %s, and still %s are too much for %s: give it more, or make other queues smaller", mebis(int64(c.Memory)), mebis(int64(was)), mebis(over), below.of)
	}
	return fmt.Sprintf("memory is %s instead of %s: all together would be more than %s allows", mebis(int64(c.Memory)), mebis(int64(was)), below.of)
}

func mebis(octets int64) string { return fmt.Sprintf("%d MiB", octets>>20) }

// budgetMemory fits the configuration to the machine, and the collector to it.
func (c *Config) budgetMemory(most ceiling, log *slog.Logger) {
	if text := c.fit(most); text != "" {
		log.Warn(text)
	}
	tuneCollector(min(c.heap(), most.octets))
}

// budgetAgain fits the collector to queues that a reload changed. Connections keep what
// they have: it was shared out at the start.
func (c *Config) budgetAgain(most ceiling, log *slog.Logger) {
	if over := c.heap() - most.octets; over > 0 {
		log.Warn(fmt.Sprintf("with the queues of this configuration %s are too much for %s: restart mailtap, which then makes memory smaller", mebis(over), most.of))
	}
	limitMemory(min(c.heap(), most.octets))
}

// controlGroupLimit is the smallest limit of memory of the process's control group
// and those above it (cgroups(7)), of version 2 or 1. Inside a container the group
// that /proc names may be out of sight; then what is in sight counts.
func controlGroupLimit(root fs.FS) (least int64, ok bool) {
	list, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(list)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		base, file := "sys/fs/cgroup", "memory.max"
		if parts[1] != "" {
			if !slices.Contains(strings.Split(parts[1], ","), "memory") {
				continue
			}
			base, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			text, err := fs.ReadFile(root, path.Join(base, dir, file))
			n, bad := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // max is no number
			if err == nil && bad == nil && n > 0 && (!ok || n < least) {
				least, ok = n, true
			}
			if dir == "/" {
				break
			}
		}
	}
	return least, ok
}
