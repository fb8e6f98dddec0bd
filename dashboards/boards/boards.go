// Package boards says what each of mailtap's Grafana dashboards shows: a file a
// dashboard, in the words of package model. It owns queries, units, limits and
// what a reader is told; it is called by the test that renews the files of package
// dashboards (go test ./dashboards -update), and knows nothing of Grafana's JSON.
//
// To add a panel: an entry in a row, whose widths add up to 24, with a unit, and
// an About that tells what to make of it.
package boards

import "github.com/mailtap/mailtap/dashboards/model"

// All lists the dashboards in the order in which to read them.
func All() []model.Dashboard {
	return []model.Dashboard{overview(), deliverability(), security(), sensor(), sessions()}
}

// The dashboards' uids, which links use.
const (
	overviewUID       = "mailtap-overview"
	deliverabilityUID = "mailtap-deliverability"
	securityUID       = "mailtap-security"
	sensorUID         = "mailtap-sensor"
	sessionsUID       = "mailtap-sessions"
)

var (
	metricsSource = model.Variable{Name: "datasource", Title: "Metrics"}
	logsSource    = model.Variable{Name: "loki", Title: "Records", Source: model.Loki}
	// instance is offered as it is scraped, and All means these alone: processes of
	// other jobs have the same metrics of Go and the process.
	instance = model.Variable{Name: "instance", Title: "Sensor", Of: "mailtap_build_info"}
	role     = model.Variable{Name: "role", Title: "Role", Of: "mailtap_sessions_open", Any: true}
	server   = model.Variable{Name: "server", Title: "Server", Of: "mailtap_sessions_total", Any: true}
)

// firing marks the time in which a rule of mailtap fires, and ours in Prometheus.
var firing = []model.Annotation{
	{
		Name: "Alerts", Expr: `sum by (instance, rule, severity) (mailtap_alerts_firing{$sel}) > 0`, Color: "red",
		Title: "{{rule}}", Text: "{{severity}}, seen by {{instance}}", Tags: "severity",
	},
	{
		Name: "Prometheus alerts", Expr: `ALERTS{alertname=~"Mailtap.*",alertstate="firing",$sel}`, Color: "orange",
		Title: "{{alertname}}", Text: "{{severity}} {{instance}} {{server}}", Tags: "severity",
	},
}

// outcomes are the colours of results, the same everywhere.
var outcomes = []model.Color{
	{Name: "accepted", Color: "green"},
	{Name: "success", Color: "green"},
	{Name: "established", Color: "green"},
	{Name: "written", Color: "green"},
	{Name: "sent", Color: "green"},
	{Name: "deferred", Color: "orange"},
	{Name: "not_offered", Color: "orange"},
	{Name: "not_used", Color: "yellow"},
	{Name: "aborted", Color: "yellow"},
	{Name: "unknown", Color: "#808080"},
	{Name: "rejected", Color: "red"},
	{Name: "failure", Color: "red"},
	{Name: "failed", Color: "red"},
	{Name: "refused", Color: "red"},
	{Name: "dropped", Color: "red"},
	{Name: "stripped", Color: "purple"},
}

// one is a panel with one query.
func one(p model.Panel, expr, legend string) model.Panel {
	p.Queries = []model.Query{{Expr: expr, Legend: legend}}
	return p
}
