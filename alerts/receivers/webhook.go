package receivers

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// WebhookOptions configure a webhook. URL is needed; it, the headers' values
// and the TLS keys are secrets that no error shows.
type WebhookOptions struct {
	Name        string            // for metrics and errors; default webhook
	URL         string            // http or https
	Headers     map[string]string // sent with every request, such as Authorization
	Timeout     time.Duration     // of one request; default 10 s
	TLS         *tls.Config       // nil: the system's authorities, TLS 1.2 and above
	ExternalURL string            // of this program's page, shown by some receivers
	Sensor      string            // the labels sensor and instance
	Clock       notify.Clock      // to read a Retry-After date by; nil: the wall clock
}

// Webhook posts alerts in the form of Alertmanager's webhook, version 4
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config).
type Webhook struct {
	options WebhookOptions
	client  *http.Client
	target  string // for errors: scheme and host
}

// NewWebhook checks the options.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	if o.Name == "" {
		o.Name = "webhook"
	}
	o.Timeout = cmp.Or(max(o.Timeout, 0), 10*time.Second)
	if o.Clock == nil {
		o.Clock = notify.WallClock{}
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("receiver %s: url must be http://… or https://… with a host", o.Name)
	}
	for name, value := range o.Headers {
		if !fitHeader(name, value) {
			return nil, fmt.Errorf("receiver %s: header %q has a name or value that HTTP does not allow", o.Name, alerts.Clip(name))
		}
	}
	config := o.TLS
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &Webhook{options: o, target: u.Scheme + "://" + u.Host, client: &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, TLSHandshakeTimeout: o.Timeout,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		},
		// A redirect would carry the headers, secrets among them, to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func fitHeader(name, value string) bool {
	return name != "" && !strings.ContainsAny(name, " \t\r\n:") && !strings.ContainsAny(value, "\r\n\x00")
}

// Name implements Receiver.
func (w *Webhook) Name() string { return w.options.Name }

// Send implements Receiver.
func (w *Webhook) Send(ctx context.Context, batch []alerts.Alert) error {
	body, err := json.Marshal(w.message(batch))
	if err != nil {
		return &notify.Error{What: w.target + ": " + err.Error(), Final: true}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.options.URL, bytes.NewReader(body))
	if err != nil {
		return &notify.Error{What: w.target + ": the request cannot be made", Final: true}
	}
	for name, value := range w.options.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "mailtap")
	resp, err := w.client.Do(req)
	if err != nil {
		return &notify.Error{What: w.target + ": " + bare(err)}
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	return w.judge(resp)
}

// bare is an HTTP client's error without the URL, which may hold a token.
func bare(err error) string {
	var in *url.Error
	if errors.As(err, &in) {
		if in.Timeout() {
			return "no answer in time"
		}
		return alerts.Clip(in.Err.Error())
	}
	return alerts.Clip(err.Error())
}

func (w *Webhook) judge(resp *http.Response) error {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	e := &notify.Error{What: fmt.Sprintf("%s answered %d %s", w.target, code, http.StatusText(code))}
	e.Final = code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
	if !e.Final {
		e.After = w.retryAfter(resp.Header.Get("Retry-After"))
	}
	return e
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func (w *Webhook) retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(at.Sub(w.options.Clock.Now()), 0)
	}
	return 0
}

// The webhook's message.
type (
	webhookMessage struct {
		Version           string            `json:"version"`
		GroupKey          string            `json:"groupKey"`
		TruncatedAlerts   int               `json:"truncatedAlerts"`
		Status            string            `json:"status"`
		Receiver          string            `json:"receiver"`
		GroupLabels       map[string]string `json:"groupLabels"`
		CommonLabels      map[string]string `json:"commonLabels"`
		CommonAnnotations map[string]string `json:"commonAnnotations"`
		ExternalURL       string            `json:"externalURL"`
		Alerts            []webhookAlert    `json:"alerts"`
	}
	webhookAlert struct {
		Status       string            `json:"status"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
		StartsAt     time.Time         `json:"startsAt"`
		EndsAt       time.Time         `json:"endsAt"` // the zero time is 0001-01-01T00:00:00Z, as Alertmanager writes it while firing
		GeneratorURL string            `json:"generatorURL"`
		Fingerprint  string            `json:"fingerprint"`
	}
)

func (w *Webhook) message(batch []alerts.Alert) webhookMessage {
	m := webhookMessage{Version: "4", Status: alerts.Resolved, Receiver: w.options.Name, ExternalURL: w.options.ExternalURL}
	for i := range batch {
		a := &batch[i]
		if a.Status == alerts.Firing {
			m.Status = alerts.Firing
		}
		m.GroupLabels = map[string]string{"alertname": a.Rule}
		m.GroupKey = fmt.Sprintf("{}:{alertname=%q}", a.Rule)
		x := webhookAlert{a.Status, w.labels(a), annotations(a), a.Started, a.Ended, w.options.ExternalURL, a.Fingerprint}
		m.CommonLabels = common(m.CommonLabels, x.Labels)
		m.CommonAnnotations = common(m.CommonAnnotations, x.Annotations)
		m.Alerts = append(m.Alerts, x)
	}
	return m
}

func (w *Webhook) labels(a *alerts.Alert) map[string]string {
	out := map[string]string{"alertname": a.Rule, "severity": a.Severity}
	for _, l := range a.Labels {
		out[l.Name] = l.Value
	}
	if w.options.Sensor != "" {
		out["sensor"], out["instance"] = w.options.Sensor, w.options.Sensor
	}
	return out
}

func annotations(a *alerts.Alert) map[string]string {
	out := map[string]string{"summary": a.Summary, "value": alerts.Number(a.Value), "threshold": alerts.Number(a.Threshold)}
	put := func(name, value string) {
		if value != "" {
			out[name] = value
		}
	}
	put("key", a.Key)
	put("runbook_url", a.Runbook)
	put("learned", a.Learned)
	put("techniques", strings.Join(a.Techniques, ","))
	put("sessions", strings.Join(a.Sessions, ","))
	return out
}

// common keeps of all what is in x as well; nil stands for the first time.
func common(all, x map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range x {
		if have, ok := all[name]; all == nil || ok && have == value {
			out[name] = value
		}
	}
	return out
}
