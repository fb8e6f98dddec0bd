// Command mailtap watches mail on the wire: it reads captures or a mirror port
// and gives session records, metrics and alerts. This package owns what no
// other room has: the command line, the configuration, the listener, the wall
// clock and the goroutines of the packet path; it wires sources to the
// tracker and the tracker to those who listen. It is called by people. It
// never looks into a packet itself, and writes nothing but records and reports
// to standard output: its own log is on standard error.
package main

import "os"

func main() {
	p := newProgram(os.Stdin, os.Stdout, os.Stderr)
	p.alone = true
	os.Exit(p.run(os.Args[1:]))
}
