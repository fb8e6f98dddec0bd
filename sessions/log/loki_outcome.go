package log

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// outcome is what a push came to.
type outcome struct {
	kind   kind
	reason Reason    // of a refusal
	oldest time.Time // what Loki takes at most, where it said so
	err    error     // tells no secret, and nothing that the server said but its status
}

// kind of an outcome.
type kind uint8

const (
	stored          kind = iota
	failed               // certainly not stored: try again
	failedUnsure         // perhaps stored: try again, the store may have it twice
	refused              // by what is in it: some of the push may be stored all the same
	refusedMetadata      // Loki takes no structured metadata
)

// outcomeOf reads the client's error.
//
// Loki takes the good lines of a push and answers 400 for the others, with
// the first reasons as text. 429 and 5xx are worth another try; 401, 403, 404 and a
// redirect too, since a wrong tenant, token or path is put right by people, and
// what is dropped until then is lost for good.
func outcomeOf(status int, cause error) outcome {
	if status <= 0 {
		return withoutAnswer(cause)
	}
	o := outcome{kind: failedUnsure, err: fmt.Errorf("log: Loki answered with HTTP status %d", status)}
	switch {
	case status < 400, status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusMethodNotAllowed, status == http.StatusProxyAuthRequired:
		o.kind = failed
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
	default:
		o.kind = refused
		o.read(status, cause.Error())
	}
	return o
}

// read finds out why a push was refused. The text is a stranger's: it is matched
// and never shown.
func (o *outcome) read(status int, text string) {
	o.reason = Refused
	switch {
	case strings.Contains(text, "includes structured metadata"):
		o.kind = refusedMetadata
	case strings.Contains(text, "timestamp too old"):
		o.reason = TooOld
		o.oldest = oldestAllowed(text)
	case strings.Contains(text, "too far behind"):
		o.reason = TooOld
	case strings.Contains(text, "Max entry size"), status == http.StatusRequestEntityTooLarge:
		o.reason = TooLong
	}
}

// oldestAllowed finds Loki's limit in its answer: "... has timestamp too old: T,
// oldest acceptable timestamp is: T".
func oldestAllowed(text string) time.Time {
	_, rest, _ := strings.Cut(text, "oldest acceptable timestamp is: ")
	if end := strings.IndexAny(rest, " ,;'\"\\\n"); end >= 0 {
		rest = rest[:end]
	}
	at, err := time.Parse(time.RFC3339Nano, rest)
	if err != nil {
		return time.Time{}
	}
	return at
}

// withoutAnswer tells what an error of net/http means. It names the URL, which
// stays here.
func withoutAnswer(cause error) outcome {
	var u *url.Error
	if !errors.As(cause, &u) {
		return outcome{kind: failedUnsure, err: errors.New("log: a push to Loki failed")}
	}
	o := outcome{kind: failedUnsure, err: fmt.Errorf("log: Loki cannot be reached: %w", u.Err)}
	if u.Timeout() {
		o.err = errors.New("log: Loki did not answer in time")
	}
	var (
		op      *net.OpError
		name    *net.DNSError
		cert    *tls.CertificateVerificationError
		noTLS   tls.RecordHeaderError
		alert   tls.AlertError
		missing *fs.PathError // a file with a password or a token
	)
	// The operation "remote error" is an alert of TLS: of a handshake, since no alert follows a push.
	if errors.As(cause, &op) && (op.Op == "dial" || op.Op == "remote error") || errors.As(cause, &name) || errors.As(cause, &cert) ||
		errors.As(cause, &noTLS) || errors.As(cause, &alert) || errors.As(cause, &missing) || errors.Is(cause, http.ErrSchemeMismatch) {
		o.kind = failed
	}
	return o
}
