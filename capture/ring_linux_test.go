package capture

import "testing"

// A driver that begins anew at 0 takes nothing back, an interface that is gone
// counts nothing.
func TestDeviceDrops(t *testing.T) {
	d := newDeviceDrops("lo")
	d.last, d.total = d.now()+1000, 5
	if n := d.count(); n != 5 {
		t.Errorf("the counter began anew: %d, want 5", n)
	}
	if d.last > d.now() {
		t.Error("the new beginning was not taken")
	}
	gone := newDeviceDrops("no-such-if0")
	if n := gone.count(); n != 0 {
		t.Errorf("an interface that is gone: %d", n)
	}
	var none deviceDrops
	if n := none.count(); n != 0 {
		t.Errorf("no interface: %d", n)
	}
}
