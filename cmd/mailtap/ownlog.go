package main

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"
)

// newLogger makes the program's own log, which goes to standard error.
func newLogger(cfg LogConfig, w io.Writer) *slog.Logger {
	log, _ := newLeveledLogger(cfg, w)
	return log
}

// newLeveledLogger also gives what sets its level later.
func newLeveledLogger(cfg LogConfig, w io.Writer) (*slog.Logger, func(LogLevel)) {
	level := new(slog.LevelVar)
	set := func(l LogLevel) { _ = level.UnmarshalText([]byte(l)) } // it was checked with the configuration
	set(cfg.Level)
	options := &slog.HandlerOptions{Level: level, AddSource: true, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr { return ownAttr(a, level.Level()) }}
	if cfg.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), set
	}
	return slog.New(slog.NewTextHandler(w, options)), set
}

// ownAttr: the place in the code tells an administrator nothing, so it stands there
// at level debug only; durations read as they are configured, in JSON too.
func ownAttr(a slog.Attr, level slog.Level) slog.Attr {
	switch v := a.Value.Any().(type) {
	case *slog.Source:
		if level > slog.LevelDebug {
			return slog.Attr{}
		}
		return slog.String("code", fmt.Sprintf("%s:%d", filepath.Base(v.File), v.Line))
	case time.Duration:
		a.Value = slog.StringValue(v.String())
	}
	return a
}
