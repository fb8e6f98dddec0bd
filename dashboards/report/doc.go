// Package report makes one page of what a capture holds: when, how many
// sessions and mails with which results, who is slow, who refuses and why,
// logins, TLS, alerts, and what could not be seen.
//
// A Report takes the events and alerts of one reading, from one goroutine, and
// keeps numbers in bounded memory whatever the traffic: where names grow too
// many, the rare ones are counted together. Build makes a Page of it, which is
// numbers and bounded lists only; Text and HTML write that page for a terminal
// and for a browser. Names come from hostile mail: Text leaves no control
// character in them, HTML escapes them. Nothing here reads a clock, and no
// secret comes here.
package report
