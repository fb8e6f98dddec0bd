package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// maxScrape bounds what is read of a page of metrics.
const maxScrape = 32 << 20

// errForeign: somebody answers, and it is no mailtap.
var errForeign = errors.New("another program answers there, not mailtap")

// errClosed: a mailtap that wants a password.
var errClosed = errors.New("it wants a password")

// scrape is a mailtap's metrics at one time.
type scrape map[string]*dto.MetricFamily

// Running reads the metrics of a mailtap that runs, twice, and says what it
// sees. runs is false where none answers.
func Running(ctx context.Context, client *http.Client, url string, apart time.Duration) (found []Finding, runs bool) {
	first, err := fetch(ctx, client, url)
	switch {
	case errors.Is(err, errForeign):
		return []Finding{ok("running", url, "%s", err).as(Problem, "run cannot listen there", "web.listen-address with another one")}, false
	case errors.Is(err, errClosed):
		return []Finding{ok("running", url, "%s", err).as(Note, "a mailtap may run here; its counters are not read", "look at them in Prometheus; what follows is heard beside it")}, false
	case err != nil:
		return nil, false
	}
	select {
	case <-ctx.Done():
	case <-time.After(apart):
	}
	second, err := fetch(ctx, client, url)
	if err != nil {
		return []Finding{ok("running", url, "answered once, then no more: %s", reason(err)).as(Problem, "it ended, or hangs", "look at its log")}, true
	}
	r := running{url: url, before: first, now: second, apart: apart}
	return r.judge(), true
}

func fetch(ctx context.Context, client *http.Client, url string) (scrape, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept", "text/plain;version=0.0.4")
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, errClosed
	default:
		return nil, errForeign
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(http.MaxBytesReader(nil, answer.Body, maxScrape))
	if err != nil || families["mailtap_build_info"] == nil {
		return nil, errForeign
	}
	return families, nil
}

// sum adds up a family's series that have the given label values ("name", "value", …).
func (s scrape) sum(name string, labels ...string) float64 {
	var sum float64
	for _, c := range s.by(name, "", labels...) {
		sum += c
	}
	return sum
}

// by adds them up for each value of one label.
func (s scrape) by(name, label string, labels ...string) map[string]float64 {
	out := make(map[string]float64)
	family := s["mailtap_"+name]
	if family == nil {
		family = s[name]
	}
	for _, m := range family.GetMetric() {
		if key, has := match(m, label, labels); has {
			out[key] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
		}
	}
	return out
}

func match(m *dto.Metric, label string, want []string) (key string, has bool) {
	for _, l := range m.GetLabel() {
		if i := slices.Index(want, l.GetName()); i >= 0 && i%2 == 0 && want[i+1] != l.GetValue() {
			return "", false
		}
		if l.GetName() == label {
			key = l.GetValue()
		}
	}
	return key, true
}

func (s scrape) version() string {
	for v := range s.by("build_info", "version") {
		return v
	}
	return "of an unknown version"
}

// running is one that was asked twice.
type running struct {
	url         string
	before, now scrape
	apart       time.Duration
}

func (r *running) news(name string, labels ...string) float64 {
	return r.now.sum(name, labels...) - r.before.sum(name, labels...)
}

func (r *running) judge() []Finding {
	since := time.Since(time.Unix(int64(r.now.sum("process_start_time_seconds")), 0)).Round(time.Second)
	out := []Finding{ok("running", r.url, "mailtap %s, since %s", printable(r.now.version()), since).meaning("its counters are read, nothing is captured beside it")}
	out = append(out, r.packets()...)
	out = append(out, r.dropped(), r.left(), r.sessions())
	out = append(out, r.lag()...)
	out = append(out, r.outputs()...)
	return out
}

// packets says of each source whether any come.
func (r *running) packets() []Finding {
	var out []Finding
	before, now := r.before.by("capture_packets_total", "source"), r.now.by("capture_packets_total", "source")
	none := r.now.sum("capture_packets_total") <= r.now.sum("capture_ignored_total") // what the filter passes beside mail, if anything
	for _, source := range sortedKeys(now) {
		n := now[source] - before[source]
		f := ok("traffic", source, "%.0f packets in %s, %.0f since it began", n, r.apart, now[source])
		switch {
		case none, now[source] == 0:
			f = f.as(Problem, "nothing of mail is mirrored here", "mailtap doctor --beside listens itself and tells what comes; docs/mirror.md")
		case n == 0:
			f = f.as(Note, "none came just now", "listen longer (--listen 5m); if it stays so look at the mirror session")
		}
		out = append(out, f)
	}
	return out
}

func (r *running) dropped() Finding {
	lost, got := r.now.sum("capture_dropped_total"), r.now.sum("capture_packets_total")
	f := ok("drops", "", "%s of %.0f packets", reasonsOf(r.now.by("capture_dropped_total", "reason")), got)
	switch {
	case lost == 0:
		return ok("drops", "", "none of %.0f packets", got)
	case r.news("capture_dropped_total") > 0, lost*100 > got:
		return f.as(Problem, "sessions miss packets and are partial", "capture.buffer, more cores or shards, less in the mirror (docs/sizing.md)")
	}
	return f.as(Note, "some were lost, none just now", "watch mailtap_capture_dropped_total")
}

// left is what was seen and left out.
func (r *running) left() Finding {
	by := r.now.by("capture_ignored_total", "reason")
	got := r.now.sum("capture_packets_total")
	f := ok("ignored", "", "%s of %.0f packets", reasonsOf(by), got)
	bad := by["unknown_link"] + by["truncated"] + by["bad_link_header"] + by["bad_ip_header"] + by["bad_tcp_header"] + by["bad_tunnel"]
	switch {
	case bad*100 > got && got > 0:
		return f.as(Problem, "more than 1 % cannot be read: the mirror cuts or breaks packets", "capture.snap_length, truncation at the mirror; docs/metrics.md names the reasons")
	case by["duplicate"]*10 > got && got > 0:
		return f.as(Note, "every tenth packet comes twice; each counts once", "mirror each packet at one place")
	case r.now.sum("capture_ignored_total") == 0:
		return ok("ignored", "", "none of %.0f packets", got)
	}
	return f
}

// sessions says whether they are whole.
func (r *running) sessions() Finding {
	all := r.now.sum("sessions_total") + r.now.sum("sessions_open")
	odd := r.now.by("anomalies_total", "kind")
	f := ok("sessions", "", "%.0f, of them %.0f in one direction only, %.0f met after their start, %.0f holes",
		all, odd["one_way"], odd["midstream"], odd["client_gap"]+odd["server_gap"])
	const do = "docs/troubleshooting.md: \"everything is partial\""
	switch {
	case all == 0 && r.now.sum("capture_packets_total") > 0:
		return ok("sessions", "", "none").as(Note, "packets come, but no connection of a mail port ended or began to talk yet", "wait for a mail; look at capture.ports")
	case odd["one_way"]*10 > all && all > 0:
		return f.as(Problem, "one direction is missing: results and replies, or commands, are not known", "mirror both directions, rx and tx (docs/mirror.md)")
	case (odd["client_gap"]+odd["server_gap"])*10 > all && all > 0:
		return f.as(Problem, "the mirror, or the kernel, loses packets", do)
	}
	return f
}

func (r *running) lag() []Finding {
	var out []Finding
	lag := r.now.by("capture_lag_seconds", "source")
	for _, source := range sortedKeys(lag) {
		if lag[source] > 5 && r.news("capture_packets_total", "source", source) > 0 {
			out = append(out, ok("times", source, "%.0f s behind the wire", lag[source]).as(Problem, "mailtap is too slow, or packets carry another clock", "more cores; the clocks of a remote tap and of this machine must agree"))
		}
	}
	return out
}

// outputs says what did not arrive where it should.
func (r *running) outputs() []Finding {
	var out []Finding
	for _, o := range []struct{ metric, label, result, do string }{
		{"log_records_total", "sink", "dropped", "docs/logs.md: the sink is down or too slow; its queue and spool are bounded"},
		{"notifications_total", "receiver", "dropped", "mailtap alerts test; with state_dir alerts wait on disk"},
		{"notifications_total", "receiver", "refused", "mailtap alerts test tells what the receiver says"},
	} {
		by := r.now.by(o.metric, o.label, "result", o.result)
		for _, name := range sortedKeys(by) {
			if by[name] > 0 {
				out = append(out, ok(o.label, name, "%.0f %s since it began", by[name], o.result).as(Problem, "they are lost", o.do))
			}
		}
	}
	waiting := r.now.by("notification_queue", "receiver")
	for _, name := range sortedKeys(waiting) {
		if waiting[name] > 0 {
			out = append(out, ok("receiver", name, "%.0f alerts wait", waiting[name]).as(Note, "it did not take them yet", "mailtap alerts test"))
		}
	}
	if f, there := r.now["mailtap_config_last_reload_successful"]; there && len(f.GetMetric()) > 0 && r.now.sum("config_last_reload_successful") == 0 {
		out = append(out, ok("running", "", "the last reload failed").as(Problem, "the configuration before it is in force", "mailtap config check, then reload again"))
	}
	evicted := r.now.by("stream_evicted_total", "reason")
	if n := evicted["memory"] + evicted["table"]; n > 0 {
		out = append(out, ok("memory", "", "%.0f connections were let go for want of it", n).as(Note, "attempts and idle connections go first", "memory, limits.connections (docs/sizing.md)"))
	}
	return out
}

// reasonsOf writes what there is of each.
func reasonsOf(by map[string]float64) string {
	var list []counted
	for _, name := range sortedKeys(by) {
		if by[name] > 0 {
			list = append(list, counted{name, uint64(by[name])})
		}
	}
	slices.SortStableFunc(list, more)
	return counts(list)
}

func sortedKeys(m map[string]float64) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// URL is where a listener's metrics are read on this machine.
func URL(listen string, tls bool) string {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	if host, port, found := strings.Cut(listen, ":"); found && (host == "" || host == "0.0.0.0") {
		listen = "127.0.0.1:" + port
	}
	if port, found := strings.CutPrefix(listen, "[::]:"); found {
		listen = "[::1]:" + port
	}
	return fmt.Sprintf("%s://%s/metrics", scheme, listen)
}
