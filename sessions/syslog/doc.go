// Package syslog writes messages of RFC 5424 and frames of RFC 6587: what
// alerts and records that go to a syslog server have in common.
//
// It owns the header, the escaping of structured data and the counting of
// octets. alerts/receivers and sessions/log call it; it opens no connection, keeps
// nothing and reads no clock. What traffic holds cannot end a field, begin a
// message of its own or bring a control character along.
package syslog
