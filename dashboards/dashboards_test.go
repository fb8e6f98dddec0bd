package dashboards

import (
	"bytes"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v3"

	"github.com/mailtap/mailtap/dashboards/boards"
	"github.com/mailtap/mailtap/dashboards/model"
	"github.com/mailtap/mailtap/metrics"
)

var update = flag.Bool("update", false, "renew the dashboards")

func fileOf(d model.Dashboard) string {
	return "grafana/" + strings.TrimPrefix(d.UID, "mailtap-") + ".json"
}

func TestFilesAreWhatTheModelMakes(t *testing.T) {
	for _, d := range boards.All() {
		name, want := fileOf(d), d.JSON(labelsOf(known()))
		if *update {
			if err := os.WriteFile(filepath.FromSlash(name), want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) {
			t.Errorf("%s is not what dashboards/boards says (-update renews it)", name)
		}
	}
	files, err := filepath.Glob("grafana/*.json")
	if err != nil || len(files) != len(boards.All()) {
		t.Errorf("%d files for %d dashboards: %v", len(files), len(boards.All()), files)
	}
}

// known tells the labels of a metric, with those that a scrape or a histogram adds.
func known() map[string][]string {
	out := map[string][]string{}
	for _, f := range metrics.New(prometheus.NewRegistry(), metrics.Options{}).Families() {
		labels := append([]string{"instance", "job"}, f.Labels...)
		out[f.Name] = labels
		if f.Type == "histogram" {
			out[f.Name+"_bucket"] = append([]string{"le"}, labels...)
			out[f.Name+"_sum"], out[f.Name+"_count"] = labels, labels
		}
	}
	return out
}

// labelsOf knows of other metrics, as those of the process, that a scrape made them.
func labelsOf(known map[string][]string) model.Labels {
	return func(metric string) []string {
		if labels, ok := known[metric]; ok {
			return labels
		}
		return []string{"instance", "job"}
	}
}

// board is a file as Grafana reads it.
type board struct {
	UID, Title, Description string
	ID                      *int
	SchemaVersion           int
	Tags                    []string
	Panels                  []panel
	Links                   []struct {
		Type string
		Tags []string
	}
	Annotations struct{ List []annotation }
	Templating  struct {
		List []variable
	}

	file string
	raw  []byte
}

type panel struct {
	ID                       int
	Type, Title, Description string
	GridPos                  gridPos
	Datasource               source
	FieldConfig              struct{ Defaults struct{ Unit string } }
	Targets                  []target
	Links                    []struct{ URL string }
}

type target struct {
	Expr, RefID, LegendFormat, QueryType string
	Datasource                           source
}

type annotation struct {
	Name, Expr, TitleFormat, TextFormat string
	BuiltIn                             int
	Datasource                          source
}

type variable struct {
	Name, Type, Label, Definition string
	Query                         any
	Datasource                    source
	IncludeAll                    bool
	Current                       struct{ Value any }
}

type source struct{ Type, UID string }

// shipped reads the dashboards as they are embedded.
func shipped(t *testing.T) []board {
	t.Helper()
	if *update {
		t.Skip("the embedded files are those from before -update")
	}
	var out []board
	for _, d := range boards.All() {
		raw, err := fs.ReadFile(Files(), fileOf(d))
		if err != nil {
			t.Fatal(err)
		}
		b := board{file: fileOf(d), raw: raw}
		if err := json.Unmarshal(raw, &b); err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return out
}

func TestYAMLFilesAreValid(t *testing.T) {
	found := 0
	err := fs.WalkDir(Files(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".yml") {
			return err
		}
		found++
		data, err := fs.ReadFile(Files(), path)
		if err != nil {
			return err
		}
		var v map[string]any
		if err := yaml.Unmarshal(data, &v); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return nil
	})
	if err != nil || found < 3 {
		t.Errorf("%d YAML files: %v", found, err)
	}
}
