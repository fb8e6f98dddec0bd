package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/dashboards"
)

func TestDashboardsCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	status, stdout, stderr := call("", "dashboards", dir)
	if status != exitDone || stderr != "" {
		t.Fatalf("status %d, %s", status, stderr)
	}
	for line := range strings.Lines(stdout) {
		name, _ := filepath.Rel(dir, strings.TrimSpace(line))
		want, err := fs.ReadFile(dashboards.Files(), filepath.ToSlash(name))
		if err != nil {
			t.Error(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != string(want) {
			t.Errorf("%s is not what is shipped: %v", name, err)
		}
	}
	changed, gone := filepath.Join(dir, "prometheus/prometheus.yml"), filepath.Join(dir, "grafana/overview.json")
	if err := os.WriteFile(changed, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if status, _, stderr := call("", "dashboards", dir); status != exitFailed || !strings.Contains(stderr, "prometheus.yml is there and differs") || exists(gone) {
		t.Errorf("over a changed file: status %d, %s", status, stderr)
	}
	if status, _, stderr := call("", "dashboards", "--force", dir); status != exitDone || !exists(gone) {
		t.Errorf("--force: status %d, %s", status, stderr)
	}
}

// A new user's way: the shipped files are written out, a real Prometheus runs
// with them and scrapes the demo, and each panel shows something.
func TestEachPanelShowsTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	if _, err := exec.LookPath("prometheus"); err != nil {
		leaveOut(t, "needs prometheus: .ci/install.sh test, or apt-get install prometheus")
	}
	records := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	t.Cleanup(records.Close)
	page, at := freePort(t), freePort(t)
	demo := start(t, self("mailtap", nil, "demo", "--speed", "20", "--web.listen-address", page, "--loki.url", records.URL, "--loki.batch_wait", "100ms"))
	await(t, demo, nil, "http://"+page+"/-/ready")
	prometheus := startShippedPrometheus(t, page, at)
	await(t, prometheus, nil, "http://"+at+"/-/ready")

	asked := panelQueries(t)
	if len(asked) < 80 {
		t.Fatalf("only %d queries are asked", len(asked))
	}
	if !within(2*time.Minute, func() bool {
		asked = slices.DeleteFunc(asked, func(q panelQuery) bool { return len(numbers(t, at, q.expr)) > 0 })
		return len(asked) == 0
	}) {
		for _, q := range asked {
			t.Errorf("%s shows nothing: %s", q.at, q.expr)
		}
	}
	rulesAreWell(t, at)
}

// startShippedPrometheus runs with the configuration and the rules as the
// command dashboards writes them, but for the address and a shorter interval.
func startShippedPrometheus(t *testing.T, page, at string) *process {
	t.Helper()
	dir := t.TempDir()
	if status, _, stderr := call("", "dashboards", dir); status != exitDone {
		t.Fatal(stderr)
	}
	config := filepath.Join(dir, "prometheus/prometheus.yml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.NewReplacer("127.0.0.1:9025", page, "15s", "1s").Replace(string(text)))
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, exec.Command("prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+at))
}

type panelQuery struct{ at, expr string }

// panelQueries lists what the dashboards ask Prometheus, as Grafana would send it.
func panelQueries(t *testing.T) (out []panelQuery) {
	t.Helper()
	fill := strings.NewReplacer("$__rate_interval", "20s", "$__range", "5m", "$instance", ".+", "$role", ".*", "$server", ".*")
	files, err := fs.Glob(dashboards.Files(), "grafana/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		text, err := fs.ReadFile(dashboards.Files(), name)
		if err != nil {
			t.Fatal(err)
		}
		var board struct {
			Panels []struct {
				Title   string
				Targets []struct {
					Expr       string
					Datasource struct{ Type string }
				}
			}
		}
		if err := json.Unmarshal(text, &board); err != nil {
			t.Fatal(err)
		}
		for _, p := range board.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type == "prometheus" {
					out = append(out, panelQuery{name + ", " + p.Title, fill.Replace(q.Expr)})
				}
			}
		}
	}
	return out
}

// numbers are the values of the answer that a panel can show: NaN is none.
func numbers(t *testing.T, at, expr string) (out []string) {
	t.Helper()
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	fetch(t, "http://"+at+"/api/v1/query?query="+url.QueryEscape(expr), &answer)
	if answer.Status != "success" {
		t.Fatalf("%s: %s", expr, answer.Error)
	}
	for _, r := range answer.Data.Result {
		if v := fmt.Sprint(r.Value[1]); v != "NaN" {
			out = append(out, v)
		}
	}
	return out
}

// rulesAreWell holds that Prometheus took all rules and evaluates each.
func rulesAreWell(t *testing.T, at string) {
	t.Helper()
	type group struct {
		Name  string
		Rules []struct{ Name, Health, LastError string }
	}
	var groups []group
	well := within(time.Minute, func() bool {
		var answer struct{ Data struct{ Groups []group } }
		fetch(t, "http://"+at+"/api/v1/rules", &answer)
		groups = answer.Data.Groups
		for _, g := range groups {
			for _, r := range g.Rules {
				if r.Health != "ok" {
					return false
				}
			}
		}
		return len(groups) > 0
	})
	if !well {
		t.Errorf("rules that are not well: %+v", groups)
	}
}

func fetch(t *testing.T, address string, answer any) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}
