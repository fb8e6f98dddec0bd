package page_test

import (
	"testing"

	"github.com/mailtap/mailtap/dashboards/page"
)

// What was shown under other terms is gone, who talks among it; what comes later is
// shown.
func TestForget(t *testing.T) {
	f := newFeed(t, page.Options{})
	f.hour()
	site := f.serve()
	kept := func() int {
		var n listed
		ask(t, site, "/api/v1/sessions", &n)
		return n.Kept
	}
	before := kept()
	if f.page.Forget(); before == 0 || kept() != 0 {
		t.Errorf("%d were kept, %d are", before, kept())
	}
	f.hour()
	if kept() == 0 {
		t.Error("nothing is kept any more")
	}
}
