package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// become makes root another user, with that one's groups. Permitted capabilities
// stay, for Reduce to sort out.
func become(name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.LookupId(name); err != nil {
			return fmt.Errorf("sandbox.user: there is no user %s", name)
		}
	}
	uid, err := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("sandbox.user %s: %w", name, err)
	}
	switch {
	case uid == os.Geteuid():
		return nil
	case !Root():
		return fmt.Errorf("sandbox.user: only root can become %s; start mailtap as root, or as %s", name, name)
	}
	var groups []int
	list, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("sandbox.user %s: groups: %w", name, err)
	}
	for _, g := range list {
		if id, err := strconv.Atoi(g); err == nil {
			groups = append(groups, id)
		}
	}
	if err := cap.SetGroups(gid, groups...); err != nil {
		return fmt.Errorf("sandbox.user %s: groups: %w", name, err)
	}
	if err := cap.SetUID(uid); err != nil {
		return fmt.Errorf("sandbox.user %s: %w", name, err)
	}
	return nil
}

// Reaches tells which of the paths that are there the user cannot read, or write.
// It is asked once the user is another one: later it would show one by one.
func (o *Options) Reaches() error {
	var errs []error
	try := func(paths []string, mode uint32, what string) {
		for _, p := range paths {
			if err := unix.Faccessat(unix.AT_FDCWD, p, mode, unix.AT_EACCESS); err == unix.EACCES {
				errs = append(errs, fmt.Errorf("%s cannot be %s by the user that mailtap runs as", p, what))
			}
		}
	}
	try(o.Files, unix.R_OK, "read")
	try(o.Readable, unix.R_OK, "read")
	try(o.Written, unix.R_OK|unix.W_OK, "written")
	try(o.Writable, unix.R_OK|unix.W_OK|unix.X_OK, "written")
	return errors.Join(errs...)
}
