//go:build linux

package main

import "golang.org/x/sys/unix"

// monotonic is the system's clock by which the service manager orders reloads, in
// microseconds.
func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t)
	return t.Nano() / 1000
}
