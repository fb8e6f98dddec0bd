//go:build unix

package log

import (
	"errors"
	"syscall"
)

// tooLarge says that a datagram is larger than the socket takes.
func tooLarge(err error) bool { return errors.Is(err, syscall.EMSGSIZE) }
