package main

import (
	"fmt"
	"time"

	"github.com/mailtap/mailtap/metrics"
	"github.com/mailtap/mailtap/metrics/deferrals"
	"github.com/mailtap/mailtap/metrics/top"
)

// MetricsConfig says what metrics tell beside what they always do.
type MetricsConfig struct {
	Reasons  []ReasonConfig `mapstructure:"reasons"`
	Deferred DeferredConfig `mapstructure:"deferred"`
	Top      TopConfig      `mapstructure:"top"`
}

// TopConfig is how many names each list of the busiest has; none without a number.
type TopConfig struct {
	SenderDomains    Count    `mapstructure:"sender_domains"`
	RecipientDomains Count    `mapstructure:"recipient_domains"`
	Clients          Count    `mapstructure:"clients"`
	Window           Duration `mapstructure:"window"`
}

// DeferredConfig bounds what is known of mail that was deferred.
type DeferredConfig struct {
	Pairs  Count    `mapstructure:"pairs"`
	Expire Duration `mapstructure:"expire"`
}

func defaultMetrics() MetricsConfig {
	return MetricsConfig{Deferred: DeferredConfig{Pairs: deferrals.DefaultPairs, Expire: Duration(deferrals.DefaultExpire)}, Top: TopConfig{Window: Duration(top.DefaultWindow)}}
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
	for _, list := range []struct {
		key string
		n   Count
	}{{"sender_domains", cfg.Top.SenderDomains}, {"recipient_domains", cfg.Top.RecipientDomains}, {"clients", cfg.Top.Clients}} {
		if list.n > top.MaxNames {
			c.fail("metrics.top."+list.key, "%d names, allowed is 1 to %d", list.n, top.MaxNames)
		}
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

func (cfg *TopConfig) options() top.Options {
	return top.Options{
		SenderDomains: int(cfg.SenderDomains), RecipientDomains: int(cfg.RecipientDomains), Clients: int(cfg.Clients), Window: time.Duration(cfg.Window),
	}
}

func (cfg *TopConfig) wanted() bool { return cfg.SenderDomains+cfg.RecipientDomains+cfg.Clients > 0 }
