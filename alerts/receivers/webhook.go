package receivers

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// The headers of a signed request.
const (
	TimestampHeader = "X-Mailtap-Timestamp" // seconds since 1970
	SignatureHeader = "X-Mailtap-Signature" // sha256= and the hex digits of Sign
)

// WebhookOptions configure a webhook. URL is needed; it, the headers' values,
// the secret and the TLS keys are secrets that no error shows.
type WebhookOptions struct {
	Name        string            // for metrics and errors; default webhook
	URL         string            // http or https
	Headers     map[string]string // sent with every request, such as Authorization
	Timeout     time.Duration     // of one request; default 10 s
	TLS         *tls.Config       // nil: the system's authorities, TLS 1.2 and above
	ExternalURL string            // of this program's page, shown by some receivers
	Sensor      string            // the labels sensor and instance
	Clock       notify.Clock      // for the signature, and to read a Retry-After date by; nil: the wall clock
	Secret      string            // key of the signature; empty: requests are not signed
	Body        *Template         // nil: Alertmanager's form
	ContentType string            // of Body; default application/json
}

// Webhook posts alerts in the form of Alertmanager's webhook, version 4
// (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config),
// or in that of a template.
type Webhook struct {
	*poster
	options WebhookOptions
}

// NewWebhook checks the options.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	if o.Name == "" {
		o.Name = "webhook"
	}
	if o.ContentType == "" {
		o.ContentType = "application/json"
	}
	p, err := newPoster(o.Name, HTTP{o.URL, o.Headers, o.Timeout, o.TLS, o.Clock})
	if err != nil {
		return nil, err
	}
	return &Webhook{p, o}, nil
}

// Name implements Receiver.
func (w *Webhook) Name() string { return w.options.Name }

// Send implements Receiver.
func (w *Webhook) Send(ctx context.Context, batch []alerts.Alert) error {
	body, err := w.body(batch)
	if err != nil {
		return &notify.Error{What: w.target + ": " + err.Error(), Final: true}
	}
	headers := map[string]string{"Content-Type": w.options.ContentType}
	if w.options.Secret != "" {
		stamp := strconv.FormatInt(w.http.Clock.Now().Unix(), 10)
		headers[TimestampHeader], headers[SignatureHeader] = stamp, "sha256="+Sign(w.options.Secret, stamp, body)
	}
	return w.post(ctx, body, headers)
}

func (w *Webhook) body(batch []alerts.Alert) ([]byte, error) {
	if w.options.Body == nil {
		return json.Marshal(w.message(batch))
	}
	text, err := w.options.Body.write(newNotice(w.options.Name, w.options.Sensor, w.options.ExternalURL, batch))
	if err != nil {
		return nil, err
	}
	if IsJSON(w.options.ContentType) && !json.Valid([]byte(text)) {
		return nil, errNotJSON
	}
	return []byte(text), nil
}

// Sign is the hex HMAC-SHA256 of the time stamp, a dot and the body: who lacks
// the secret can forge no request, and an old one cannot be sent again later.
func Sign(secret, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(timestamp + "."))
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// IsJSON says whether a content type promises JSON.
func IsJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}
