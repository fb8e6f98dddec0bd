// Package dashboards holds what people look at, and what watches for them: Grafana
// dashboards with their provisioning, recording and alerting rules for Prometheus
// with a configuration that scrapes mailtap, and rules for Loki over the records
// of several sensors. It owns the files and embeds them; cmd/mailtap writes them
// out. Tests hold every metric and label that they name against package metrics,
// and run Debian's promtool over them. It never talks to Grafana, Prometheus or Loki.
//
// The files in grafana are made from packages boards (what is shown) and model (how
// Grafana wants it): change those and run go test ./dashboards -update.
package dashboards

import (
	"embed"
	"io/fs"
)

//go:embed grafana loki prometheus
var files embed.FS

// Files are the folders grafana, prometheus and loki, as docs/grafana.md uses them.
func Files() fs.FS { return files }
