package main

import (
	"fmt"

	"github.com/mailtap/mailtap/metrics"
	"github.com/mailtap/mailtap/metrics/deferrals"
)

// MetricsConfig says what metrics tell beside what they always do.
type MetricsConfig struct {
	Reasons  []ReasonConfig `mapstructure:"reasons"`
	Deferred DeferredConfig `mapstructure:"deferred"`
}

// DeferredConfig bounds what is known of mail that was deferred.
type DeferredConfig struct {
	Pairs  Count    `mapstructure:"pairs"`
	Expire Duration `mapstructure:"expire"`
}

func defaultMetrics() MetricsConfig {
	return MetricsConfig{Deferred: DeferredConfig{Pairs: deferrals.DefaultPairs, Expire: Duration(deferrals.DefaultExpire)}}
}

// ReasonConfig names why servers refuse, for the replies that a pattern matches.
type ReasonConfig struct {
	Name    string `mapstructure:"name"`
	Pattern string `mapstructure:"pattern"`
}

// metrics refuses patterns that say nothing.
func (c *checker) metrics(cfg *MetricsConfig) {
	if cfg.Deferred.Pairs > maxDeferredPairs {
		c.fail("metrics.deferred.pairs", "%d pairs, allowed is 1 to %d", cfg.Deferred.Pairs, maxDeferredPairs)
	}
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

// maxDeferredPairs bounds the memory of deferred pairs, about 2 GB.
const maxDeferredPairs = 20_000_000

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
