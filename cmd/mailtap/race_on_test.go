//go:build race

package main

// raceDetector is on: computations of one goroutine that take long are left out,
// because it finds nothing in them and makes them ten times as long.
const raceDetector = true
