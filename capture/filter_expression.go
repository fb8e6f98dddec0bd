package capture

import (
	"fmt"
	"strings"
)

// filterExpression is libpcap's filter for link layers that filterProgram does
// not know: untagged TCP of the ports, no ports mean all. It passes neither IP
// fragments but the first nor tunnels.
func filterExpression(ports []uint16) string {
	if len(ports) == 0 {
		return "tcp"
	}
	var terms []string
	for _, r := range portRanges(ports, maxPortRanges) {
		terms = append(terms, fmt.Sprintf("tcp portrange %d-%d", r.first, r.last))
	}
	return strings.Join(terms, " or ")
}
