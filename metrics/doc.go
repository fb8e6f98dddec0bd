// Package metrics defines every Prometheus metric of mailtap and counts events
// into them. It owns the names, the label sets and their limits; cmd/mailtap
// gives it a registry, hands the events of each goroutine to a Shard of it
// (a sessions.Handler), which is published about once a second, and publishes the
// counts of sources, streams, alerts and sinks through it.
//
// Label sets are closed: a name from the wire is looked up in a list and counts
// as "other" where it is not in it, so no traffic can make the number of series
// grow past what the configuration allows. It never puts an address, a domain, a
// user or an id into a label, but for the lists of package top that a site asks for; it
// never reads a clock and, on the packet path,
// neither locks nor allocates.
//
// To add a metric: a line in define (families.go), a row in docs/metrics.md, and
// the place in handle.go (with its tally in shard.go) or publish.go that counts it.
package metrics
