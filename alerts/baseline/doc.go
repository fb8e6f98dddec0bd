// Package baseline learns how many events a group of a rule has in a window,
// and says what a window stays below unless something is out of the ordinary.
//
// It owns three things: the estimates of one group (its level, its crests, its
// hours of the week), the Table that keeps them for the heaviest groups in
// bounded memory, and the bytes in which a Table outlives a restart. Package
// alerts counts the events, tells a Table of each window that is over
// (Table.Learn) and asks it for the threshold of the one at hand (Table.Bound).
//
// A window is known by its number: packet time since 1970 divided by the
// window's length. The package reads no clock, starts no goroutine, does no
// I/O: the same windows in the same order give the same bounds, also with a
// save and a restore between them. How well it does is in docs/baselines.md.
package baseline
