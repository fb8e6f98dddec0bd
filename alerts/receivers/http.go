package receivers

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// HTTP says how to reach a receiver by HTTP. URL is needed; it, the headers'
// values and the TLS keys are secrets that no error shows.
type HTTP struct {
	URL     string            // http or https
	Headers map[string]string // sent with every request, such as Authorization
	Timeout time.Duration     // of one request; default 10 s
	TLS     *tls.Config       // nil: the system's authorities, TLS 1.2 and above
	Clock   notify.Clock      // to read a Retry-After date by; nil: the wall clock
}

// poster sends bodies to one address.
type poster struct {
	http   HTTP
	client *http.Client
	target string // for errors: scheme and host
	answer string // the status that came last
}

func newPoster(name string, o HTTP) (*poster, error) {
	o.Timeout = cmp.Or(max(o.Timeout, 0), 10*time.Second)
	if o.Clock == nil {
		o.Clock = notify.WallClock{}
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("receiver %s: url must be http://… or https://… with a host", name)
	}
	for header, value := range o.Headers {
		if !fitHeader(header, value) {
			return nil, fmt.Errorf("receiver %s: header %q has a name or value that HTTP does not allow", name, alerts.Clip(header))
		}
	}
	config := o.TLS
	if config == nil {
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return &poster{http: o, target: u.Scheme + "://" + u.Host, client: &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, TLSHandshakeTimeout: o.Timeout,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
		},
		// A redirect would carry the headers, secrets among them, to another host.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func fitHeader(name, value string) bool {
	return name != "" && !strings.ContainsAny(name, " \t\r\n:") && !strings.ContainsAny(value, "\r\n\x00")
}

// post sends a body; its own headers go before the configured ones.
func (p *poster) post(ctx context.Context, body []byte, headers map[string]string) error {
	p.answer = ""
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.http.URL, bytes.NewReader(body))
	if err != nil {
		return &notify.Error{What: p.target + ": the request cannot be made", Final: true}
	}
	for name, value := range p.http.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "mailtap")
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return &notify.Error{What: p.target + ": " + bare(err)}
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	p.answer = strings.TrimSpace(fmt.Sprint(resp.StatusCode, " ", http.StatusText(resp.StatusCode)))
	return p.judge(resp)
}

// Answer says what the receiver answered to the last Send.
func (p *poster) Answer() string { return p.answer }

// bare is an HTTP client's error without the URL, which may hold a token, and
// without what the other side said: what repeats a request repeats its secrets.
func bare(err error) string {
	var in *url.Error
	if errors.As(err, &in) {
		err = in.Err
		if in.Timeout() {
			return "no answer in time"
		}
	}
	var network *net.OpError
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	if errors.As(err, &network) || errors.As(err, &certificate) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.Canceled) {
		return alerts.Clip(err.Error())
	}
	if err.Error() == plainHTTP {
		return plainHTTP
	}
	return "the answer is no HTTP"
}

// plainHTTP is net/http's word for an address that should begin with http://.
const plainHTTP = "http: server gave HTTP response to HTTPS client"

func (p *poster) judge(resp *http.Response) error {
	code := resp.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	e := &notify.Error{What: p.target + " answered " + p.answer}
	e.Final = code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
	if !e.Final {
		e.After = p.retryAfter(resp.Header.Get("Retry-After"))
	}
	return e
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func (p *poster) retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(min(max(n, 0), 86400)) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(at.Sub(p.http.Clock.Now()), 0)
	}
	return 0
}
