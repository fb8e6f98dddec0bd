package notify

import "time"

// Pause is how long a worker waits before it tries again.
func Pause(o *Options, backoff time.Duration, how *Error) time.Duration {
	return (&worker{options: o}).pause(backoff, how)
}
