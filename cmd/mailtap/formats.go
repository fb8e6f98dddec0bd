package main

import (
	"fmt"
	"slices"
	"strings"

	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// formatText is the report that people read; all other forms are of records.
const formatText = "text"

// readFormats lists what read --format takes.
func readFormats() []string {
	return append([]string{formatText}, recordlog.Formats[:]...)
}

func checkFormat(format string, cfg *Config) error {
	if all := readFormats(); !slices.Contains(all, format) {
		return fmt.Errorf("flag --format: %q is no form of the output, allowed is %s", format, strings.Join(all, ", "))
	}
	if format == formatText || format == recordlog.FormatJSON {
		return nil
	}
	for _, s := range []struct{ title, key, url string }{{"Loki", "loki.url", string(cfg.Loki.URL)}, {"the syslog server", "syslog.url", string(cfg.Syslog.URL)}} {
		if s.url != "" {
			return fmt.Errorf("flag --format: %s takes json, not %s; leave %s empty", s.title, format, s.key)
		}
	}
	return nil
}
