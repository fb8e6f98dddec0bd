package sandbox

import (
	"errors"
	"os"
	"slices"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// Enter gives up all that the options do not name. It cannot be undone. The order
// matters: capabilities go while the threads can still be told by signals, seccomp
// comes last because it refuses what the others do.
func Enter(o Options) (*Sandbox, error) {
	s := &Sandbox{Status: Status{Capabilities: held()}, programs: len(o.Programs) > 0}
	if o.Mode == Off {
		return s, nil
	}
	limit()
	stay := hold()
	filtered := o.Mode == Auto && errors.Is(stay, unix.EPERM)
	if filtered {
		stay = nil // judged with seccomp
	}
	err := errors.Join(
		s.want(o.Mode, "capabilities", stay),
		s.want(o.Mode, "no_new_privs", noNewPrivs()),
	)
	s.Capabilities, s.NoNewPrivs = held(), hasNoNewPrivs()
	if err != nil {
		return s, err
	}
	s.grants = o.grants()
	s.Landlock, err = restrictPaths(s.grants)
	if err := s.want(o.Mode, "landlock", err); err != nil {
		return s, err
	}
	err = refuseCalls(s.programs)
	s.Seccomp = err == nil
	if filtered {
		s.keep(err)
	}
	return s, s.want(o.Mode, "seccomp", err)
}

// keep: a service manager's filter of calls, which goes before ours, may refuse
// capset. Ours refuses what the capability is for.
func (s *Sandbox) keep(noFilter error) {
	const why = "capset is refused, as by the filter of a service"
	if noFilter != nil {
		s.Missing = append(s.Missing, "capabilities: they stay: "+why)
		return
	}
	s.Kept = why
}

// Supported asks the kernel; it changes nothing.
func Supported() Support { return Support{Landlock: landlockABI(), Seccomp: hasSeccomp()} }

// Reduce gives up all capabilities but those that opening sources may need:
// cap_net_raw, and cap_net_admin where it is there, for NFLOG. With a user, root
// becomes that one in all threads.
func Reduce(m Mode, user string) error {
	if m == Off && user == "" {
		return nil
	}
	limit()
	if user != "" {
		if err := become(user); err != nil {
			return err
		}
	}
	if err := hold(cap.NET_RAW, cap.NET_ADMIN); m == Required {
		return err
	}
	return nil // Enter tries again, and tells
}

// hold gives up all capabilities but the named ones, which stay only where they
// are there already.
func hold(keep ...cap.Value) error {
	have, want := cap.GetProc(), cap.NewSet()
	var extra bool
	for c := cap.Value(0); c < cap.MaxBits(); c++ {
		permitted, err := have.GetFlag(cap.Permitted, c)
		inheritable, _ := have.GetFlag(cap.Inheritable, c)
		if err != nil || !permitted && !inheritable {
			continue
		}
		if !permitted || inheritable || !slices.Contains(keep, c) {
			extra = true
		}
		if permitted && slices.Contains(keep, c) {
			_ = want.SetFlag(cap.Permitted, true, c)
			_ = want.SetFlag(cap.Effective, true, c)
		}
	}
	ambient, _ := cap.GetAmbient(cap.NET_RAW)
	if !extra && !ambient {
		return nil
	}
	return errors.Join(cap.ResetAmbient(), want.SetProc())
}

// limit empties the bounding set, where it may: it is what a child of root could
// have again.
func limit() {
	if may, _ := cap.GetProc().GetFlag(cap.Effective, cap.SETPCAP); !may {
		return
	}
	for c := cap.Value(0); c < cap.MaxBits(); c++ {
		if in, err := cap.GetBound(c); err == nil && in {
			_ = cap.DropBound(c)
		}
	}
}

// held names the permitted capabilities.
func held() string {
	have, none := cap.GetProc(), cap.NewSet()
	if diff, err := have.Cf(none); err == nil && diff == 0 {
		return "none"
	}
	return have.String()
}

func noNewPrivs() error {
	if _, _, e := psx.Syscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); e != 0 {
		return e
	}
	return nil
}

func hasNoNewPrivs() bool {
	v, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	return err == nil && v == 1
}

// Root says whether the process is root's.
func Root() bool { return os.Geteuid() == 0 }
