// Package log turns events into records and gives them to sinks: one JSON
// object a line, as docs/records.md and docs/records.schema.json tell, or the
// forms of other products, as docs/formats.md tells.
//
// It owns the encoding of records and the sinks (a file or standard output, Loki
// with its spool, syslog) with their bounded queues and counts. cmd/mailtap
// makes one Writer for each goroutine that hands out events; the sinks may be
// shared. It never reads a clock for what a record says (all times are packet
// time), never writes a secret (none reaches it) and, live, never makes the packet
// path wait.
package log
