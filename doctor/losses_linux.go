package doctor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// counters of the kernel that tell of frames which never came as far as mailtap.
type counters struct {
	received, sent uint64
	missed, broken uint64
	backlog        uint64
	known          bool
}

// lossesOf reads them. rx_dropped alone tells no loss: it also counts frames that only
// a capture had a use for.
func lossesOf(d device) counters {
	counter := func(file string) uint64 {
		n, _ := d.number("statistics/" + file)
		return uint64(n)
	}
	c := counters{
		received: counter("rx_packets"), sent: counter("tx_packets"),
		missed: counter("rx_missed_errors") + counter("rx_fifo_errors") + counter("rx_over_errors"),
		broken: counter("rx_crc_errors") + counter("rx_frame_errors") + counter("rx_length_errors"),
		known:  d.sys != "",
	}
	text, err := os.ReadFile("/proc/net/softnet_stat")
	if err != nil {
		return c
	}
	for line := range strings.Lines(string(text)) { // a line for each processor, the second column is drops
		if columns := strings.Fields(line); len(columns) > 1 {
			n, _ := strconv.ParseUint(columns[1], 16, 64)
			c.backlog += n
		}
	}
	return c
}

// Losses tells what an interface lost since the system started.
func Losses(name string) []Finding {
	d, err := findDevice(name)
	if err != nil || d.sys == "" {
		return nil
	}
	c := lossesOf(d)
	f := ok("drops", name, "%d packets received, %d had no room in the card, %d broken, since it came up", c.received, c.missed, c.broken)
	switch {
	case c.missed > 0 && c.missed*100 > c.received:
		f = f.as(Problem, "more than 1 % is lost before mailtap", "ethtool -G "+name+" rx MAX; spread interrupts over cores; mirror less")
	case c.broken > 0:
		f = f.as(Note, "broken frames come from a bad cable, transceiver or a too small MTU", "ethtool -S "+name)
	case c.missed > 0:
		f = f.as(Note, "some were lost before mailtap, whenever that was", fmt.Sprintf("watch mailtap_capture_dropped_total{source=%q}", name))
	}
	out := []Finding{f}
	if c.backlog > 0 {
		out = append(out, ok("drops", "kernel", "%d packets found net.core.netdev_max_backlog full", c.backlog).as(Note,
			"the kernel dropped them before any capture, on whichever interface", "sysctl -w net.core.netdev_max_backlog=10000"))
	}
	return out
}
