package log

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/grafana/loki/pkg/push"
)

// Whatever is wrong with Loki for a while, and is put right, costs no record.
func TestLokiFaultsThatPass(t *testing.T) {
	hang := make(chan struct{})
	for name, fault := range map[string]http.HandlerFunc{
		"429": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "rate limit", http.StatusTooManyRequests) },
		"429 retry after": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "", http.StatusTooManyRequests)
		},
		"500":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusInternalServerError) },
		"503":        func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusServiceUnavailable) },
		"tenant":     func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no org id", http.StatusUnauthorized) },
		"forbidden":  func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusForbidden) },
		"wrong path": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "", http.StatusNotFound) },
		"login page": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) },
		"hangs":      func(http.ResponseWriter, *http.Request) { <-hang },
		"breaks off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeLoki(t)
			var tries atomic.Int32
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tries.Add(1) <= 2 {
					fault(w, r)
					return
				}
				f.ServeHTTP(w, r)
			}))
			defer front.Close()
			o := quick(front.URL)
			if name == "hangs" {
				o.Timeout = 50 * time.Millisecond
				defer close(hang)
			}
			l := startTestLoki(t, o)
			write(l, 0, 10)
			await(t, func() bool { return l.Counts().Written == 10 })
			stopTestLoki(t, l)
			c := l.Counts()
			if c.Dropped != 0 || c.Waiting != 0 || c.Retried == 0 || f.stored() != 10 || uint64(f.twice()) > c.Unsure || l.Err() != nil {
				t.Errorf("counts %+v, %d arrived, %d more than once, %v", c, f.stored(), f.twice(), l.Err())
			}
			sure := name == "tenant" || name == "forbidden" || name == "wrong path" || name == "login page"
			if sure != (c.Unsure == 0) {
				t.Errorf("%d records may have come twice", c.Unsure)
			}
		})
	}
}

func TestLokiWithAWrongCertificate(t *testing.T) {
	f := newFakeLoki(t)
	secure := httptest.NewUnstartedServer(f)
	secure.Config.ErrorLog = stdlog.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	for name, url := range map[string]string{"unknown authority": secure.URL, "no TLS": strings.Replace(f.URL, "http:", "https:", 1)} {
		o := quick(url)
		o.SpoolDir = t.TempDir()
		l := startTestLoki(t, o)
		write(l, 0, 3)
		await(t, func() bool { return l.Err() != nil })
		stopTestLoki(t, l) // a spool keeps them: Stop does not wait for what cannot be
		if c := l.Counts(); c.Dropped != 0 || c.Waiting != 3 || c.Unsure != 0 || l.Spooled() != 3 {
			t.Errorf("%s: counts %+v, %d in the spool", name, c, l.Spooled())
		}
	}
}

func line(n int) string { return fmt.Sprintf(`{"n":%d}`, n) }

// One bad line costs that line, be the others of its push stored, as Loki does, or
// not.
func TestLokiFindsTheBadLine(t *testing.T) {
	for _, storesOthers := range []bool{true, false} {
		f := newFakeLoki(t)
		bad := []string{line(17), line(400)}
		if storesOthers {
			f.judge = func(e push.Entry) string {
				if slices.Contains(bad, e.Line) {
					return "stream rate or something else"
				}
				return ""
			}
		}
		front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if storesOthers {
				f.ServeHTTP(w, r)
				return
			}
			if holds(t, r, bad) {
				http.Error(w, "Max entry size '5' bytes exceeded", http.StatusBadRequest)
				return
			}
			f.ServeHTTP(w, r)
		}))
		defer front.Close()
		l := startTestLoki(t, quick(front.URL))
		write(l, 0, 500)
		stopTestLoki(t, l)
		c := l.Counts()
		if c.Written != 498 || c.Dropped != 2 || f.stored() != 498 || l.Err() != nil {
			t.Errorf("counts %+v, %d arrived, %v", c, f.stored(), l.Err())
		}
		if storesOthers != (c.Reasons[Refused] == 2) || !storesOthers != (c.Reasons[TooLong] == 2) {
			t.Errorf("reasons %v", c.Reasons)
		}
		if f.pushes > 200 {
			t.Errorf("%d pushes to find 2 of 500", f.pushes)
		}
	}
}

// holds looks into a request and leaves it whole.
func holds(t *testing.T, r *http.Request, lines []string) bool {
	t.Helper()
	req := readPush(t, r)
	for _, s := range req.Streams {
		for _, e := range s.Entries {
			if slices.Contains(lines, e.Line) {
				return true
			}
		}
	}
	return false
}

// Loki refuses what is older than its limit, says the limit and stores the rest.
func TestLokiDropsWhatIsTooOld(t *testing.T) {
	f := newFakeLoki(t)
	limit := start.Add(300 * time.Second)
	f.judge = func(e push.Entry) string {
		if e.Timestamp.Before(limit) {
			return fmt.Sprintf("entry for stream '{sensor=\"tap1\"}' has timestamp too old: %s, oldest acceptable timestamp is: %s",
				e.Timestamp.Format(time.RFC3339), limit.Format(time.RFC3339))
		}
		return ""
	}
	l := startTestLoki(t, quick(f.URL))
	for i := range 1000 {
		l.Write(Record{Line: []byte(line(i)), Time: start.Add(time.Duration(i) * time.Second), Event: KindMail})
	}
	stopTestLoki(t, l)
	if c := l.Counts(); c.Written != 700 || c.Dropped != 300 || c.Reasons[TooOld] != 300 || f.stored() != 700 {
		t.Errorf("counts %+v, %d arrived", c, f.stored())
	}
	if f.pushes > 20 {
		t.Errorf("%d pushes", f.pushes)
	}
}

// A store that refuses everything does not make it try for ever.
func TestLokiGivesUpOnARefusedPush(t *testing.T) {
	f := newFakeLoki(t)
	f.answer = func(int) int { return 400 }
	o := quick(f.URL)
	o.BatchWait = time.Hour // one batch, at Stop
	l := startTestLoki(t, o)
	write(l, 0, 2000)
	stopTestLoki(t, l)
	if c := l.Counts(); c.Dropped != 2000 || c.Reasons[Refused] != 2000 {
		t.Errorf("counts %+v", c)
	}
	if f.pushes > 300 { // 65, and more where the client cuts a push in two
		t.Errorf("%d pushes for one batch", f.pushes)
	}
}

func TestLokiRefusesStructuredMetadata(t *testing.T) {
	f := newFakeLoki(t)
	rec := Record{Line: []byte("x"), Time: start, Event: KindMail, Session: "S1", CommunityID: "1:abc="}
	l := startTestLoki(t, quick(f.URL))
	l.Write(rec)
	await(t, func() bool { return f.stored() == 1 })
	if got := fmt.Sprint(f.lines["x"].StructuredMetadata); got != "[{session S1} {community_id 1:abc=}]" {
		t.Errorf("structured metadata %s", got)
	}
	f.mu.Lock()
	f.judge = func(e push.Entry) string {
		if len(e.StructuredMetadata) > 0 {
			return "stream '{}' includes structured metadata, but this feature is disallowed."
		}
		return ""
	}
	f.mu.Unlock()
	for _, text := range []string{"y", "z"} {
		rec.Line = []byte(text)
		l.Write(rec)
	}
	stopTestLoki(t, l)
	if c := l.Counts(); c.Written != 3 || c.Dropped != 0 || l.Metadata() || f.stored() != 3 {
		t.Errorf("counts %+v, %d arrived, metadata %v", c, f.stored(), l.Metadata())
	}
}

func TestLokiRefusesImpossibleTimes(t *testing.T) {
	f := newFakeLoki(t)
	l := startTestLoki(t, quick(f.URL))
	l.Write(Record{Line: []byte("far"), Time: time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC), Event: KindMail})
	write(l, 0, 1)
	stopTestLoki(t, l)
	if c := l.Counts(); c.Written != 1 || c.Reasons[Refused] != 1 {
		t.Errorf("counts %+v", c)
	}
}

// The whole account: Loki answers as it likes, is away, restarts of the program
// come between, and every record arrives or is counted as dropped.
func TestLokiSumsMatch(t *testing.T) {
	const runs, each = 4, 250
	f := newFakeLoki(t)
	dice := rand.New(rand.NewPCG(6, 7))
	f.answer = func(int) int { return [...]int{204, 204, 500, 429, 204, 503, 204}[dice.IntN(7)] }
	f.judge = func(e push.Entry) string {
		if strings.HasSuffix(e.Line, `7}`) && e.Timestamp.Nanosecond()%70 == 7 {
			return "no"
		}
		return ""
	}
	dir := t.TempDir()
	var sum Counts
	waiting := 0
	for run := range runs {
		o := quick(f.URL)
		o.SpoolDir, o.BatchBytes, o.MaxRecords, o.SpoolWait = dir, 4096, 200, time.Millisecond
		l := startTestLoki(t, o)
		if l.Counts().Waiting != waiting {
			t.Errorf("run %d begins with %d, %d were left", run, l.Counts().Waiting, waiting)
		}
		for i := run * each; i < run*each+each; i += 50 {
			write(l, i, i+50)
			await(t, func() bool { return !l.queue.overHalf() })
		}
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		if run == runs-1 {
			f.mu.Lock()
			f.answer = func(int) int { return 204 }
			f.mu.Unlock()
			await(t, func() bool { return l.Counts().Waiting == 0 })
		}
		_ = l.Stop(ctx)
		cancel()
		l.ended.Wait()
		c := l.Counts()
		if got := int(c.Written+c.Dropped) + c.Waiting; got != each+waiting {
			t.Errorf("run %d: %+v makes %d, %d were there", run, c, got, each+waiting)
		}
		waiting = c.Waiting
		sum.Written += c.Written
		sum.Dropped += c.Dropped
		sum.Unsure += c.Unsure
	}
	if waiting != 0 || sum.Written+sum.Dropped != runs*each || f.stored() < int(sum.Written) {
		t.Errorf("%d made, %d written, %d dropped, %d wait, %d arrived", runs*each, sum.Written, sum.Dropped, waiting, f.stored())
	}
	if f.stored()-int(sum.Written) > int(sum.Dropped) || uint64(f.twice()) > sum.Unsure {
		t.Errorf("%d arrived and %d were written; %d came twice, of at most %d", f.stored(), sum.Written, f.twice(), sum.Unsure)
	}
	t.Logf("%d made: %d written, %d dropped; %d sent again though they may have been stored, %d came twice",
		runs*each, sum.Written, sum.Dropped, sum.Unsure, f.twice())
}

func TestLokiSpoolHealsWithItsDisk(t *testing.T) {
	f := newFakeLoki(t)
	f.answer = func(int) int { return 503 }
	o := quick(f.URL)
	o.SpoolDir, o.SpoolWait = filepath.Join(t.TempDir(), "spool"), time.Millisecond
	l := startTestLoki(t, o)
	if err := os.Rename(o.SpoolDir, o.SpoolDir+"-away"); err != nil {
		t.Fatal(err)
	}
	write(l, 0, 50)
	await(t, func() bool { return l.Err() != nil })
	write(l, 50, 100)
	await(t, func() bool { return l.SpoolErr() != nil })
	if err := os.Rename(o.SpoolDir+"-away", o.SpoolDir); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return l.SpoolErr() == nil && l.Spooled() > 0 })
	f.mu.Lock()
	f.answer = func(int) int { return 204 }
	f.mu.Unlock()
	await(t, func() bool { return l.Counts().Written == 100 })
	stopTestLoki(t, l)
	if c := l.Counts(); c.Dropped != 0 {
		t.Errorf("counts %+v", c)
	}
}
