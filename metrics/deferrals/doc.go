// Package deferrals knows the queues of mail servers as the wire shows them: which
// mail was deferred (a reply of 4xx) and is still outstanding. It owns the pairs of
// sender and recipient that wait, how long they do, and the state that outlives a
// restart. cmd/mailtap gives a Queue the finished mails of all connections in the order
// of the packets, and publishes what it tells; the metrics of it are defined in
// package metrics.
//
// A retry comes on another connection, to another server, from another client: so
// nothing of the connection tells a pair, but sender, recipient, direction and role.
// A pair leaves when the recipient is accepted or refused for good, when nobody has
// tried for a while, or, at the bound of the memory, as the one not tried for longest.
//
// It keeps no address: a pair is a keyed hash of 128 bits, whose key is random and
// lives in the state file. It never reads a clock. What it cannot see waits unseen:
// mail inside TLS, and mail that was refused before its recipients were named.
package deferrals
