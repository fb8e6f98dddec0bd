package doctor

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// device is an interface as net and sysfs have it.
type device struct {
	net.Interface
	sys string // folder in sysfs; empty where that is another network namespace's
}

func findDevice(name string) (device, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return device{}, err
	}
	d := device{Interface: *i, sys: "/sys/class/net/" + name + "/"}
	if index, found := d.number("ifindex"); !found || int(index) != i.Index {
		d.sys = ""
	}
	return d, nil
}

func (d device) text(file string) string {
	if d.sys == "" {
		return ""
	}
	text, _ := os.ReadFile(d.sys + file)
	return strings.TrimSpace(string(text))
}

func (d device) number(file string) (int64, bool) {
	n, err := strconv.ParseInt(d.text(file), 10, 64)
	return n, err == nil
}

// Interface examines one, by the name that the configuration has for it.
func Interface(name string, promiscuous bool) []Finding {
	const check = "interface"
	switch {
	case name == "-":
		return []Finding{ok(check, name, "a capture is read from standard input").meaning("what the remote tap drops, it says itself")}
	case strings.Contains(name, "/"):
		return []Finding{pipe(name)}
	case name == "any":
		return []Finding{ok(check, name, "all interfaces").as(Note,
			"none is promiscuous then, and frames behind two VLAN tags are missed in part", "for a mirror port name its interface")}
	}
	d, err := findDevice(name)
	if err != nil {
		return []Finding{ok(check, name, "is not there").as(Problem, "there are "+names(), "--interface, or capture.interfaces, with one of them")}
	}
	if d.Flags&net.FlagUp == 0 {
		return []Finding{ok(check, name, "is down").as(Problem, "no packet can come", "sudo ip link set "+name+" up, and let the system bring it up at boot")}
	}
	return append([]Finding{d.link(), d.reception(promiscuous)}, d.offloads()...)
}

func pipe(name string) Finding {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return ok("interface", name, "is not there").as(Problem, "a path is a named pipe", "mkfifo "+name)
	case info.Mode()&os.ModeNamedPipe == 0:
		return ok("interface", name, "is no named pipe").as(Problem, "run reads pipes, files are for read", "mkfifo it, or mailtap read "+name)
	}
	return ok("interface", name, "a named pipe")
}

// link is what the cable gives.
func (d device) link() Finding {
	about := []string{"up"}
	if d.Flags&net.FlagRunning == 0 {
		return ok("interface", d.Name, "up, without carrier").as(Problem, "nothing is plugged in, or the other side is down", "look at the cable, the transceiver and the switch's port")
	}
	about = append(about, "carrier")
	if speed, found := d.number("speed"); found && speed > 0 {
		about = append(about, fmt.Sprintf("%d Mbit/s", speed))
	}
	about = append(about, fmt.Sprintf("MTU %d", d.MTU))
	f := ok("interface", d.Name, "%s", strings.Join(about, ", "))
	switch {
	case d.text("duplex") == "half":
		return f.as(Problem, "half duplex: frames collide", "let both sides negotiate, or set both to full")
	case d.MTU < 1500 && d.Flags&net.FlagLoopback == 0:
		return f.as(Problem, "longer frames are thrown away by the card", "sudo ip link set "+d.Name+" mtu 1600")
	case d.text("master/ifindex") != "":
		return f.as(Note, "it is a port of a bridge or a bond", "watch the bond where packets are spread over its ports")
	}
	return f
}

// reception says whose frames come.
func (d device) reception(promiscuous bool) Finding {
	f := ok("promiscuous", d.Name, "asked for by mailtap itself").meaning("frames for others come too")
	switch {
	case d.Flags&net.FlagLoopback != 0:
		return ok("promiscuous", d.Name, "of no use on the loopback").meaning("it shows what this machine says to itself")
	case !promiscuous:
		return ok("promiscuous", d.Name, "capture.promiscuous is off").as(Note, "frames that are not for this machine are left out: a mirror port shows nothing", "capture.promiscuous: true, unless this is the mail server itself")
	case d.text("type") != "" && d.text("type") != "1":
		return ok("promiscuous", d.Name, "no Ethernet").as(Note, "it brings what is sent to this machine", "")
	}
	return f
}

func names() string {
	list, err := net.Interfaces()
	if err != nil || len(list) == 0 {
		return "none"
	}
	var out []string
	for _, i := range list {
		out = append(out, i.Name)
	}
	slices.Sort(out)
	if len(out) > 16 {
		out = append(out[:16], "and more")
	}
	return strings.Join(out, ", ")
}

// NoInterface says which could be watched.
func NoInterface() Finding {
	return ok("interface", "", "none is named").as(Note, "there are "+names(), "mailtap doctor --interface NAME, or --config FILE")
}
