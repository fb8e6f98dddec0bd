// Package dashboards holds what people look at: the Grafana dashboard of the
// overview with its provisioning, and a configuration for Prometheus that scrapes
// mailtap. It owns the files and embeds them, so that cmd/mailtap can write them
// out; tests hold every metric that a panel names against package metrics. It
// never talks to Grafana or Prometheus.
//
// grafana/overview.json is made by overview_test.go: change that and run
// go test ./dashboards -update.
package dashboards

import (
	"embed"
	"io/fs"
)

//go:embed grafana prometheus
var files embed.FS

// Files are grafana/overview.json, grafana/provisioning and
// prometheus/prometheus.yml, as docs/grafana.md uses them.
func Files() fs.FS { return files }
