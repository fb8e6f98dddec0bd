package log

import (
	"fmt"
	"net/url"
	"time"
)

// LokiOptions of a Loki sink. Only URL must be set.
type LokiOptions struct {
	URL      string // http or https; without a path, /loki/api/v1/push is meant. A user name and a password in it are taken for basic auth
	TenantID string // header X-Scope-OrgID; default none
	Sensor   string // label sensor; default left out

	Username        string // basic auth
	PasswordFile    string // file with the password, read with each request
	BearerTokenFile string // file with a token, read with each request; not together with basic auth
	CAFile          string // PEM of the authority that signed Loki's certificate; default the system's

	MaxRecords int // records in the queue; default 10,000
	MaxBytes   int // octets in the queue; default 16 MiB

	BatchWait  time.Duration // longest time that a record waits for others; default 1 s
	BatchBytes int           // octets of one push; default 1 MiB
	Timeout    time.Duration // of one push; default 10 s
	MinBackoff time.Duration // before the second try, doubled for each further one; default 500 ms
	MaxBackoff time.Duration // between tries; default 30 s
	MaxSplits  int           // pushes more, at most, to find the bad lines of one that was refused; default 64

	NoMetadata bool // do not send session and community_id as structured metadata

	SpoolDir  string        // folder for what cannot wait in memory; none: memory only. Nobody else may use it
	SpoolSize int64         // octets in it; then the oldest gives way; default 256 MiB
	SpoolAge  time.Duration // of what waits in it; then it is dropped; default: any
	SpoolWait time.Duration // longest time in memory while Loki takes nothing; default 5 s
	Fault     func() error  // why the next write of the spool fails, in a build that makes them; nil: none does

	Block     bool          // wait for space in the queue (offline reading) instead of dropping at once (live)
	BlockWait time.Duration // longest such wait; then records are dropped until there is space; default 2 min
}

func (o LokiOptions) withDefaults() LokiOptions {
	def(&o.MaxRecords, 10_000)
	def(&o.MaxBytes, 16<<20)
	def(&o.BatchBytes, 1<<20)
	def(&o.MaxSplits, 64)
	def(&o.SpoolSize, 256<<20)
	def(&o.SpoolWait, 5*time.Second)
	def(&o.BatchWait, time.Second)
	def(&o.Timeout, 10*time.Second)
	def(&o.MinBackoff, 500*time.Millisecond)
	def(&o.MaxBackoff, 30*time.Second)
	o.MaxBackoff = max(o.MaxBackoff, o.MinBackoff)
	def(&o.BlockWait, 2*time.Minute)
	if !o.Block {
		o.BlockWait = 0
	}
	return o
}

func def[T int | int64 | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

const pushPath = "/loki/api/v1/push"

// target reads the URL without ever showing it: there may be a password in it.
// The user information is taken out.
func (o LokiOptions) target() (*url.URL, *url.Userinfo, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, nil, fmt.Errorf("log: the URL of Loki cannot be used: want http or https, a host and an optional path, e.g. http://loki:3100%s", pushPath)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = pushPath
	}
	user := u.User
	u.User = nil
	u.Fragment = ""
	if o.BearerTokenFile != "" && (user != nil || o.Username != "" || o.PasswordFile != "") {
		return nil, nil, fmt.Errorf("log: Loki at %s: basic auth and a bearer token file exclude each other", u.Host)
	}
	if user != nil && (o.Username != "" || o.PasswordFile != "") {
		return nil, nil, fmt.Errorf("log: Loki at %s: user name or password given twice, in the URL and beside it", u.Host)
	}
	if o.PasswordFile != "" && o.Username == "" {
		return nil, nil, fmt.Errorf("log: Loki at %s: a password file needs a user name", u.Host)
	}
	return u, user, nil
}
