package main

import (
	"io"
	"log/slog"

	"github.com/prometheus/common/promslog"
)

// newLogger makes the program's own log, which goes to standard error.
func newLogger(cfg LogConfig, w io.Writer) *slog.Logger {
	log, _ := newLeveledLogger(cfg, w)
	return log
}

// newLeveledLogger also gives what sets its level later.
func newLeveledLogger(cfg LogConfig, w io.Writer) (*slog.Logger, func(LogLevel)) {
	level, format := promslog.NewLevel(), promslog.NewFormat()
	// Both were checked with the configuration.
	_ = level.Set(string(cfg.Level))
	_ = format.Set(string(cfg.Format))
	return promslog.New(&promslog.Config{Level: level, Format: format, Writer: w}), func(l LogLevel) { _ = level.Set(string(l)) }
}
