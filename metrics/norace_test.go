//go:build !race

package metrics

const strangers = 100_000
