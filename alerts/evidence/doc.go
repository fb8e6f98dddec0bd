// Package evidence keeps the packets of the sessions that an alert names: copies
// of the latest packets of all mail connections in rings of bounded memory, and
// from them a pcapng file for each alert, with the secrets of logins blanked. It
// owns the rings, the directory with its limits, and the goroutine that writes.
// cmd/mailtap adds packets, in the shards, and asks for an alert's evidence. It
// judges no traffic and raises no alert.
package evidence
