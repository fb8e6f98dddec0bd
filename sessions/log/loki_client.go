package log

import (
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/grafana/loki-client-go/loki"
	"github.com/grafana/loki-client-go/pkg/backoff"
	"github.com/grafana/loki-client-go/pkg/urlutil"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// lokiClient is the only place that knows grafana/loki-client-go.
type lokiClient struct {
	client *loki.Client
	labels model.LabelSet // of every record
	host   string         // under which the client counts

	sent, dropped, retries *prometheus.CounterVec // the client's own

	mu   sync.Mutex
	last error
}

// userAgent is a variable of the client's package: it is set once, before the
// first client reads it.
var userAgent = sync.OnceFunc(func() { loki.UserAgent = "mailtap" })

func newLokiClient(o LokiOptions) (pusher, error) {
	target, user, err := o.target()
	if err != nil {
		return nil, err
	}
	userAgent()
	c := &lokiClient{labels: model.LabelSet{}}
	if o.Sensor != "" {
		c.labels["sensor"] = model.LabelValue(o.Sensor)
	}
	if err := c.findCounters(); err != nil {
		return nil, err
	}
	// The client counts by URL.Host and calls URL.String(), which prefers
	// Opaque: so each sink has counts of its own, also beside an older
	// one to the same host that a reload left behind.
	c.host = fmt.Sprintf("%s %p", target.Host, c)
	opaque := &url.URL{Scheme: target.Scheme, Opaque: "//" + target.Host + target.EscapedPath(), RawQuery: target.RawQuery, Host: c.host}
	c.client, err = loki.NewWithLogger(loki.Config{
		URL: urlutil.URLValue{URL: opaque},
		// Batches are ours: the client shall send what it has with its
		// next tick, every 10 ms, and never for its size.
		BatchWait: time.Millisecond, BatchSize: 1 << 30,
		Client:        httpConfig(o, user),
		BackoffConfig: backoff.BackoffConfig{MinBackoff: o.MinBackoff, MaxBackoff: max(o.MinBackoff, o.MaxBackoff), MaxRetries: o.Tries},
		Timeout:       o.Timeout, TenantID: o.TenantID,
	}, c)
	if err != nil {
		return nil, fmt.Errorf("log: Loki at %s: the client does not start; check the user name, password, token and CA files of loki", target.Host)
	}
	return c, nil
}

// httpConfig follows no redirect: basic auth would go along to wherever it leads.
func httpConfig(o LokiOptions, user *url.Userinfo) config.HTTPClientConfig {
	c := config.DefaultHTTPClientConfig
	c.FollowRedirects = false
	c.TLSConfig.CAFile = o.CAFile
	switch {
	case user != nil:
		password, _ := user.Password()
		c.BasicAuth = &config.BasicAuth{Username: user.Username(), Password: config.Secret(password)}
	case o.Username != "":
		c.BasicAuth = &config.BasicAuth{Username: o.Username, PasswordFile: o.PasswordFile}
	case o.BearerTokenFile != "":
		c.Authorization = &config.Authorization{Type: "Bearer", CredentialsFile: o.BearerTokenFile}
	}
	return c
}

// findCounters gets hold of the counters that the client registered in the
// default registry (mailtap serves another one, so they stay unseen): to
// register the same again yields those that are there.
func (c *lokiClient) findCounters() error {
	for _, f := range []struct {
		vec        **prometheus.CounterVec
		name, help string
	}{
		{&c.sent, "sent_entries_total", "Number of log entries sent to the ingester."},
		{&c.dropped, "dropped_entries_total", "Number of log entries dropped because failed to be sent to the ingester after all retries."},
		{&c.retries, "batch_retries_total", "Number of times batches has had to be retried."},
	} {
		same := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "promtail", Name: f.name, Help: f.help}, []string{loki.HostLabel})
		var there prometheus.AlreadyRegisteredError
		if err := prometheus.DefaultRegisterer.Register(same); !errors.As(err, &there) {
			return fmt.Errorf("log: the Loki client does not count promtail_%s as this program expects", f.name)
		}
		vec, ok := there.ExistingCollector.(*prometheus.CounterVec)
		if !ok {
			return fmt.Errorf("log: the Loki client's promtail_%s is no counter", f.name)
		}
		*f.vec = vec
	}
	return nil
}

func (c *lokiClient) push(it *item) {
	labels := make(model.LabelSet, 4)
	for name, value := range c.labels {
		labels[name] = value
	}
	for name, value := range map[model.LabelName]string{"event": it.event, "role": it.role, "direction": it.direction} {
		if value != "" {
			labels[name] = model.LabelValue(value)
		}
	}
	_ = c.client.Handle(labels, it.time, it.line) // always nil
}

func (c *lokiClient) counts() pushCounts {
	return pushCounts{sent: value(c.sent, c.host), dropped: value(c.dropped, c.host), retries: value(c.retries, c.host)}
}

func value(vec *prometheus.CounterVec, host string) uint64 {
	var m dto.Metric
	if err := vec.WithLabelValues(host).Write(&m); err != nil {
		return 0
	}
	return uint64(m.GetCounter().GetValue())
}

func (c *lokiClient) stop() { c.client.Stop() }

func (c *lokiClient) failure() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Log implements the client's logger: nothing is printed, the reason of the
// last failure is kept. An error of net/http names the URL, and Loki's answer
// is a stranger's text: of both only the harmless part stays.
func (c *lokiClient) Log(keyvals ...any) error {
	var status int
	var cause error
	for i := 0; i+1 < len(keyvals); i += 2 {
		switch keyvals[i] {
		case "status":
			status, _ = keyvals[i+1].(int)
		case "error":
			cause, _ = keyvals[i+1].(error)
		}
	}
	if cause == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = failed(status, cause)
	return nil
}

func failed(status int, cause error) error {
	var u *url.Error
	switch {
	case status > 0:
		return fmt.Errorf("log: Loki answered with HTTP status %d", status)
	case errors.As(cause, &u) && u.Timeout():
		return errors.New("log: Loki did not answer in time")
	case errors.As(cause, &u):
		return fmt.Errorf("log: Loki cannot be reached: %w", u.Err)
	}
	return errors.New("log: a push to Loki failed")
}
