//go:build !linux

package sandbox

import (
	"errors"
	"os"
)

// errSystem is what every part lacks here.
var errSystem = errors.New("only Linux has it")

// Enter gives up nothing: this system has no way for it that mailtap knows.
func Enter(o Options) (*Sandbox, error) {
	s := &Sandbox{Status: Status{Capabilities: "not of this system"}}
	if o.Mode == Off {
		return s, nil
	}
	return s, s.want(o.Mode, "capabilities, landlock and seccomp", errSystem)
}

// Supported tells that there is nothing.
func Supported() Support { return Support{} }

// Reduce refuses to become another user, and gives up nothing.
func Reduce(_ Mode, user string) error {
	if user != "" {
		return errors.New("sandbox.user: only on Linux mailtap becomes another user by itself")
	}
	return nil
}

// Reaches has nothing to say.
func (o *Options) Reaches() error { return nil }

// Root says whether the process is root's.
func Root() bool { return os.Geteuid() == 0 }
