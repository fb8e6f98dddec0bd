package capture

import (
	"os"
	"strconv"
	"strings"
)

// deviceDrops counts what never came as far as the ring, since the first look.
// The interface's rx_dropped alone does not tell: it also counts frames that
// the network stack has no use for after a capture had them, which are all
// those with two VLAN tags, and on a mirror port may be all of its traffic.
type deviceDrops struct {
	name  string // none: not counted
	last  deviceCounts
	total uint64
}

// deviceCounts are counters of the kernel.
type deviceCounts struct {
	card    uint64 // the card or its driver had no room (rx_missed_errors, rx_fifo_errors, as libpcap counts)
	stack   uint64 // rx_dropped
	backlog uint64 // the queue before the stack was full, of any interface that has no driver's own
}

func newDeviceDrops(name string) deviceDrops { return deviceDrops{name: name, last: countsOf(name)} }

// countsOf reads them. An interface that is gone, or of another mount of sysfs,
// counts nothing.
func countsOf(name string) deviceCounts {
	counter := func(which string) uint64 {
		text, err := os.ReadFile("/sys/class/net/" + name + "/statistics/" + which)
		if err != nil {
			return 0
		}
		n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		return n
	}
	c := deviceCounts{card: counter("rx_missed_errors") + counter("rx_fifo_errors"), stack: counter("rx_dropped")}
	if text, err := os.ReadFile("/proc/net/softnet_stat"); err == nil {
		c.backlog = backlogDrops(string(text))
	}
	return c
}

// backlogDrops sums the second column of softnet_stat, a line for each
// processor (net/core/net-procfs.c).
func backlogDrops(table string) (sum uint64) {
	for line := range strings.Lines(table) {
		if columns := strings.Fields(line); len(columns) > 1 {
			n, _ := strconv.ParseUint(columns[1], 16, 64)
			sum += n
		}
	}
	return sum
}

// count adds what came since the last look.
func (d *deviceDrops) count() uint64 {
	if d.name != "" {
		d.add(countsOf(d.name))
	}
	return d.total
}

// add takes the counters as they are now; a driver may begin anew at 0. What
// the backlog dropped stands in the interface's rx_dropped too: it is no more
// than either.
func (d *deviceDrops) add(now deviceCounts) {
	d.total += news(now.card, d.last.card) + min(news(now.stack, d.last.stack), news(now.backlog, d.last.backlog))
	d.last = now
}

func news(now, before uint64) uint64 {
	if now < before {
		return 0
	}
	return now - before
}
