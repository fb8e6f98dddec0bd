package doctor

import (
	"time"

	"golang.org/x/sys/unix"
)

// Clock says whether the system's clock is kept by NTP, as the kernel knows it.
func Clock() Finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return ok("clock", "", "the kernel does not say whether it is synchronised (%s)", err).as(Note, "", "")
	}
	if state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0 {
		return ok("clock", "", "not synchronised").as(Note,
			"times of records and of other machines' logs do not fit each other, and several sources must agree", "run chrony, systemd-timesyncd or ntpd (in a virtual machine the host may keep the clock: then nothing)")
	}
	return ok("clock", "", "synchronised, within %s", (time.Duration(t.Maxerror) * time.Microsecond).Round(time.Microsecond))
}
