package main

import (
	"fmt"

	"github.com/mailtap/mailtap/metrics"
)

// MetricsConfig says what metrics tell beside what they always do.
type MetricsConfig struct {
	Reasons []ReasonConfig `mapstructure:"reasons"`
}

// ReasonConfig names why servers refuse, for the replies that a pattern matches.
type ReasonConfig struct {
	Name    string `mapstructure:"name"`
	Pattern string `mapstructure:"pattern"`
}

// metrics refuses patterns that say nothing.
func (c *checker) metrics(cfg *MetricsConfig) {
	const key = "metrics.reasons"
	if len(cfg.Reasons) > metrics.MaxReasons {
		c.fail(key, "%d reasons, allowed is 1 to %d", len(cfg.Reasons), metrics.MaxReasons)
	}
	for i, r := range cfg.Reasons {
		if _, err := metrics.NewReason(r.Name, r.Pattern); err != nil {
			c.fail(fmt.Sprintf("%s[%d]", key, i), "%v", err)
		}
	}
}

// reasons are the configured ones, which check has seen.
func (cfg *MetricsConfig) reasons() []metrics.Reason {
	var out []metrics.Reason
	for _, r := range cfg.Reasons {
		if made, err := metrics.NewReason(r.Name, r.Pattern); err == nil {
			out = append(out, made)
		}
	}
	return out
}
