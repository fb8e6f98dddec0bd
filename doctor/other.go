//go:build !linux

package doctor

import "net"

// Other systems are asked for what their libpcap tells: the rest is Linux's.

type device struct{ net.Interface }

type counters struct {
	received, sent uint64
	missed         uint64
	known          bool
}

func findDevice(name string) (device, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return device{}, err
	}
	return device{*i}, nil
}

func lossesOf(device) counters { return counters{} }

// Privilege cannot be told before an interface is opened.
func Privilege(string, bool) Finding {
	return ok("privilege", "", "not checked on this system")
}

// Sandbox is Linux's.
func Sandbox() []Finding { return nil }

// Interface says whether it is there and up.
func Interface(name string, _ bool) []Finding {
	d, err := findDevice(name)
	switch {
	case err != nil:
		return []Finding{ok("interface", name, "is not there").as(Problem, "", "--interface with one that is")}
	case d.Flags&net.FlagUp == 0:
		return []Finding{ok("interface", name, "is down").as(Problem, "no packet can come", "bring it up")}
	}
	return []Finding{ok("interface", name, "up, MTU %d", d.MTU)}
}

// NoInterface says that none is named.
func NoInterface() Finding {
	return ok("interface", "", "none is named").as(Note, "", "mailtap doctor --interface NAME, or --config FILE")
}

// Losses are Linux's.
func Losses(string) []Finding { return nil }

// Clock is not asked.
func Clock() Finding { return ok("clock", "", "not checked on this system") }

func freeSpace(string) (free, total uint64, known bool) { return 0, 0, false }
