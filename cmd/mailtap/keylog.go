package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/mailtap/mailtap/decode/tls/keys"
)

// keylogPause is how long a key log that was read to its end is left alone.
const keylogPause = 100 * time.Millisecond

// secrets reads the key log of a configuration that has one.
func (c *Config) secrets() (*keys.Log, error) {
	if c.TLS.Keylog == "" {
		return nil, nil
	}
	return readKeylog(string(c.TLS.Keylog))
}

// readKeylog reads a whole key log.
func readKeylog(name string) (*keys.Log, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("tls.keylog: %w", err)
	}
	defer f.Close()
	l := &keys.Log{}
	if _, err := io.Copy(l, f); err != nil {
		return nil, fmt.Errorf("tls.keylog: %w", err)
	}
	l.Write([]byte("\n")) // its last line may have no end
	if s := l.Stats(); s.Secrets == 0 {
		return nil, fmt.Errorf("tls.keylog: %s holds no secret in the NSS key log format", name)
	}
	return l, nil
}

// followKeylog reads a key log as it grows, until the context ends. A file
// that became shorter, or another one of its name, is read from its start.
func followKeylog(ctx context.Context, name string, l *keys.Log, log *slog.Logger) {
	var f *os.File
	defer func() {
		if f != nil {
			f.Close()
		}
	}()
	told := ""
	for ctx.Err() == nil {
		next, err := followed(f, name)
		if next != f {
			if f != nil {
				f.Close()
				l.Write([]byte("\n"))
			}
			f = next
		}
		if err == nil && f != nil {
			_, err = io.Copy(l, f)
		}
		if err != nil && err.Error() != told {
			told = err.Error()
			log.Warn("cannot read the key log, trying on", "error", err)
		} else if err == nil {
			told = ""
		}
		select {
		case <-ctx.Done():
		case <-time.After(keylogPause):
		}
	}
}

// followed returns the open file while it is still the one of the name, else
// the one that is.
func followed(f *os.File, name string) (*os.File, error) {
	now, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && f != nil:
		return f, nil // moved away; the new one comes
	case err != nil:
		return f, err
	}
	if f != nil {
		was, err := f.Stat()
		if err != nil {
			return f, err
		}
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil {
			return f, err
		}
		if os.SameFile(was, now) && now.Size() >= at {
			return f, nil
		}
	}
	next, err := os.Open(name)
	if err != nil {
		return f, err
	}
	return next, nil
}
