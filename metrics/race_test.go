//go:build race

package metrics

// strangers is how many talk in the flood: it is one goroutine's, so that the race
// detector makes it slow and finds nothing.
const strangers = 10_000
