package capture

import (
	"runtime"
	"strings"
)

// BuiltIn names the methods of live capture that this program was built with, as
// people read them: "ring, pcap (libpcap version 1.10.3)", or "none".
func BuiltIn() string {
	var list []string
	if runtime.GOOS == "linux" {
		list = append(list, string(MethodRing))
	}
	if p := libpcap(); p != "" {
		list = append(list, p)
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}
