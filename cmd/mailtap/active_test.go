package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mailtap/mailtap/alerts"
)

func fires(i int, status string) alerts.Alert {
	return alerts.Alert{
		Rule: fmt.Sprint("R", i%2), Severity: alerts.Warning, Status: status, Started: time.Unix(int64(i), 0).UTC(), Value: float64(i),
		Summary: fmt.Sprint("alert ", i), Labels: alerts.Labels{{Name: "n", Value: fmt.Sprint(i)}}, Fingerprint: fmt.Sprintf("%016x", i),
	}
}

func ask(t *testing.T, h http.Handler, method string) (int, alertsAnswer) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, "http://localhost/api/v1/alerts", nil))
	var a alertsAnswer
	if method == "GET" {
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatal(err, w.Body)
		}
	}
	return w.Code, a
}

func TestActiveAlerts(t *testing.T) {
	table := newActiveAlerts("tap1")
	web := defaultWeb()
	web.ListenAddress = "127.0.0.1:0"
	w, err := listen(web, handlers{metrics: http.NotFoundHandler(), alerts: table}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.stop(time.Second)
	h := w.server.Handler
	code, a := ask(t, h, "GET")
	if code != 200 || a.Status != "success" || a.Data.Alerts == nil || len(a.Data.Alerts) != 0 {
		t.Errorf("none: %d %+v", code, a)
	}
	for _, i := range []int{3, 2, 1} {
		x := fires(i, alerts.Firing)
		table.note(&x)
	}
	worse := fires(2, alerts.Firing)
	worse.Severity, worse.Value, worse.Escalated = alerts.Critical, 25, true
	over := fires(3, alerts.Resolved)
	table.note(&worse)
	table.note(&over)
	_, a = ask(t, h, "GET")
	got, _ := json.Marshal(a)
	want := `{"status":"success","data":{"alerts":[` +
		`{"labels":{"alertname":"R0","instance":"tap1","n":"2","sensor":"tap1","severity":"critical"},` +
		`"annotations":{"fingerprint":"0000000000000002","summary":"alert 2","threshold":"0","value":"25"},"state":"firing","activeAt":"1970-01-01T00:00:02Z","value":"2.5e+01"},` +
		`{"labels":{"alertname":"R1","instance":"tap1","n":"1","sensor":"tap1","severity":"warning"},` +
		`"annotations":{"fingerprint":"0000000000000001","summary":"alert 1","threshold":"0","value":"1"},"state":"firing","activeAt":"1970-01-01T00:00:01Z","value":"1e+00"}]}}`
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for method, want := range map[string]int{"POST": 405, "DELETE": 405, "PUT": 405} {
		if code, _ := ask(t, h, method); code != want {
			t.Errorf("%s: %d", method, code)
		}
	}
	page := httptest.NewRecorder()
	h.ServeHTTP(page, httptest.NewRequest("GET", "http://localhost/", nil))
	if !strings.Contains(page.Body.String(), `href="/api/v1/alerts"`) {
		t.Error("the start page does not name it")
	}
}

func TestActiveAlertsAreBounded(t *testing.T) {
	table := newActiveAlerts("")
	for i := range maxActive + 5 {
		x := fires(i, alerts.Firing)
		table.note(&x)
		x.Repeat = 1
		table.note(&x)
	}
	if _, left := table.sorted(); len(table.list) != maxActive || left != 5 {
		t.Errorf("%d kept, %d left out", len(table.list), left)
	}
	_, a := ask(t, table, "GET")
	if len(a.Warnings) != 1 || len(a.Data.Alerts) != maxActive {
		t.Errorf("%v", a.Warnings)
	}
	for i := range maxActive + 20 {
		x := fires(i, alerts.Resolved)
		table.note(&x)
	}
	if _, left := table.sorted(); len(table.list) != 0 || left != 0 {
		t.Errorf("%d kept, %d left out", len(table.list), left)
	}
}

func TestActiveAlertsWhileTheyChange(t *testing.T) {
	table := newActiveAlerts("tap1")
	var all sync.WaitGroup
	all.Go(func() {
		for i := range 2000 {
			x := fires(i%50, []string{alerts.Firing, alerts.Resolved}[i/50%2])
			table.note(&x)
		}
	})
	for range 50 {
		ask(t, table, "GET")
	}
	all.Wait()
}
