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
	"github.com/grafana/loki/pkg/push"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// lokiClient is the only place that knows grafana/loki-client-go. The client
// encodes and sends; when to try again, and with what, is Loki's.
//
// The client drops what it cannot send without saying which records those were,
// and sends them in pushes of its own choice. What became of which follows from
// its counters: it has one goroutine, so pushes end one after the other, it counts
// each once, and it logs a failed one just before it counts that.
type lokiClient struct {
	client  *loki.Client
	labels  model.LabelSet // of every record
	timeout time.Duration

	sent, dropped prometheus.Counter // the client's own

	mu       sync.Mutex
	failures []failedPush // of the push call under way
}

// failedPush is what the client's log told, and what it had counted until then.
type failedPush struct {
	outcome       outcome
	sent, dropped uint64
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
	c := &lokiClient{labels: model.LabelSet{}, timeout: o.Timeout}
	if o.Sensor != "" {
		c.labels["sensor"] = model.LabelValue(o.Sensor)
	}
	// The client counts by URL.Host and calls URL.String(), which prefers
	// Opaque: so each sink has counts of its own, also beside an older
	// one to the same host that a reload left behind.
	host := fmt.Sprintf("%s %p", target.Host, c)
	if err := c.findCounters(host); err != nil {
		return nil, err
	}
	opaque := &url.URL{Scheme: target.Scheme, Opaque: "//" + target.Host + target.EscapedPath(), RawQuery: target.RawQuery, Host: host}
	c.client, err = loki.NewWithLogger(loki.Config{
		URL: urlutil.URLValue{URL: opaque},
		// Batches are ours: the client shall send what it has when it was
		// handed over, and never for its size. It looks every 10 ms.
		BatchWait: handOver, BatchSize: 1 << 30,
		Client:        httpConfig(o, user),
		BackoffConfig: backoff.BackoffConfig{MaxRetries: 1},
		Timeout:       o.Timeout, TenantID: o.TenantID,
	}, c)
	if err != nil {
		return nil, fmt.Errorf("log: Loki at %s: the client does not start; check the user name, password, token and CA files of loki", target.Host)
	}
	return c, nil
}

// handOver is more than a batch usually takes to be handed over: what takes
// longer is sent in two pushes.
const handOver = 15 * time.Millisecond

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
func (c *lokiClient) findCounters(host string) error {
	for _, f := range []struct {
		counter    *prometheus.Counter
		name, help string
	}{
		{&c.sent, "sent_entries_total", "Number of log entries sent to the ingester."},
		{&c.dropped, "dropped_entries_total", "Number of log entries dropped because failed to be sent to the ingester after all retries."},
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
		*f.counter = vec.WithLabelValues(host)
	}
	return nil
}

// pollEvery is how often the client's counts are read while a push is under
// way; it is also how often the client looks whether it has something to send.
const pollEvery = 10 * time.Millisecond

// push implements pusher.
func (c *lokiClient) push(batch []item, metadata bool) []part {
	c.mu.Lock()
	c.failures = c.failures[:0]
	c.mu.Unlock()
	sent, dropped := value(c.sent), value(c.dropped)
	for i := range batch {
		c.hand(&batch[i], metadata)
	}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for deadline := time.Now().Add(2*c.timeout + 5*time.Second); time.Now().Before(deadline); <-poll.C {
		if value(c.sent)-sent+value(c.dropped)-dropped >= uint64(len(batch)) {
			break
		}
	}
	return c.parts(len(batch), sent, dropped)
}

// parts tells what became of n items that were handed over when the client had
// counted sent and dropped.
func (c *lokiClient) parts(n int, sent, dropped uint64) (all []part) {
	c.mu.Lock()
	defer c.mu.Unlock()
	add := func(items uint64, o outcome) {
		if k := min(n, int(items)); k > 0 {
			all, n = append(all, part{k, o}), n-k
		}
	}
	last := value(c.dropped)
	for i, f := range c.failures {
		add(f.sent-sent, outcome{})
		until := last
		if i+1 < len(c.failures) {
			until = c.failures[i+1].dropped
		}
		add(until-f.dropped, f.outcome)
		sent = f.sent
	}
	add(value(c.sent)-sent, outcome{})
	// The client forgets what it cannot encode, and counts it nowhere.
	add(uint64(n), outcome{kind: failedUnsure, err: errors.New("log: the Loki client does not say what became of a push")})
	return all
}

func (c *lokiClient) hand(it *item, metadata bool) {
	labels := make(model.LabelSet, 4)
	for name, value := range c.labels {
		labels[name] = value
	}
	for name, value := range map[model.LabelName]string{"event": it.event, "role": it.role, "direction": it.direction} {
		if value != "" {
			labels[name] = model.LabelValue(value)
		}
	}
	var more push.LabelsAdapter
	if metadata && it.session != "" {
		more = push.LabelsAdapter{{Name: "session", Value: it.session}}
		if it.community != "" {
			more = append(more, push.LabelAdapter{Name: "community_id", Value: it.community})
		}
	}
	_ = c.client.HandleWithMetadata(labels, it.time, it.line, more) // always nil
}

func value(c prometheus.Counter) uint64 {
	var m dto.Metric
	if err := c.Write(&m); err != nil {
		return 0
	}
	return uint64(m.GetCounter().GetValue())
}

func (c *lokiClient) stop() { c.client.Stop() }

// Log implements the client's logger: nothing is printed, why a push failed is
// kept. The client calls it before it counts the push as dropped.
func (c *lokiClient) Log(keyvals ...any) error {
	var message string
	var status int
	var cause error
	for i := 0; i+1 < len(keyvals); i += 2 {
		switch keyvals[i] {
		case "msg":
			message, _ = keyvals[i+1].(string)
		case "status":
			status, _ = keyvals[i+1].(int)
		case "error":
			cause, _ = keyvals[i+1].(error)
		}
	}
	if cause == nil || message != "final error sending batch" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failures = append(c.failures, failedPush{outcomeOf(status, cause), value(c.sent), value(c.dropped)})
	return nil
}
