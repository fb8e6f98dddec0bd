// Command logql asks Loki's own engine every query of ours: those of the rules
// and those of the dashboards, over records of mailtap that it reads from standard
// input and takes for those of two sensors now and of a third two hours ago. Each must be understood; a query of a
// dashboard must find something, and each rule must fire but those of which the
// demo's capture has no case.
//
//	mailtap read --format json cmd/mailtap/testdata/demo.pcap | (cd dashboards/tools/logql && go run . ../..)
//
// It is a module of its own, because Loki is large: mailtap does not depend on it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/grafana/dskit/user"
	"github.com/grafana/loki/v3/pkg/logproto"
	"github.com/grafana/loki/v3/pkg/logql"
	"github.com/grafana/loki/v3/pkg/logqlmodel"
	"github.com/prometheus/prometheus/promql"
	"gopkg.in/yaml.v3"
)

// notInDemo are rules for which the demo's capture has no case.
var notInDemo = []string{"MailtapClientScansSeveralSensors"}

// sensors are those that the records are of, and how long ago they wrote them.
var sensors = map[string]time.Duration{"tap1": time.Second, "tap2": time.Second, "silent": 2 * time.Hour}

func main() {
	queries, err := collect(os.Args[1])
	if err == nil {
		err = run(queries)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// query is a question and whether its answer may be empty.
type query struct {
	at, expr string
	empty    bool
}

// collect reads the queries of loki/*.yml and grafana/*.json.
func collect(dir string) (out []query, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "loki/mailtap.yml"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			out = append(out, query{r.Alert, r.Expr, slices.Contains(notInDemo, r.Alert)})
		}
	}
	fill := strings.NewReplacer("$__range", "1h", "$__interval", "1m", "$search", "", "$sensor", ".*", "$role", ".*", "$direction", ".*")
	boards, err := filepath.Glob(filepath.Join(dir, "grafana/*.json"))
	if err != nil {
		return nil, err
	}
	for _, name := range boards {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
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
			return nil, err
		}
		for _, p := range board.Panels {
			for _, q := range p.Targets {
				if q.Datasource.Type == "loki" {
					out = append(out, query{p.Title, fill.Replace(q.Expr), false})
				}
			}
		}
	}
	return out, nil
}

func run(queries []query) error {
	now := time.Now()
	streams, err := readRecords(now)
	if err != nil {
		return err
	}
	engine := logql.NewEngine(logql.EngineOpts{}, logql.NewMockQuerier(0, streams), logql.NoLimits, log.NewNopLogger())
	ctx := user.InjectOrgID(context.Background(), "test")
	bad := 0
	for _, q := range queries {
		params, err := logql.NewLiteralParams(q.expr, now, now, 0, 0, logproto.BACKWARD, 1000, nil, nil)
		if strings.HasPrefix(q.expr, "{") { // lines are asked for over a span
			params, err = logql.NewLiteralParams(q.expr, now.Add(-time.Hour), now, time.Minute, 0, logproto.BACKWARD, 1000, nil, nil)
		}
		n, what := 0, ""
		if err == nil {
			n, what, err = ask(ctx, engine, params)
		}
		if err != nil || n == 0 && !q.empty {
			bad++
			fmt.Printf("%s: %d answers, %v: %s\n", q.at, n, err, q.expr)
			continue
		}
		fmt.Printf("%s: %d, as %s\n", q.at, n, what)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d queries are not well", bad, len(queries))
	}
	return nil
}

func ask(ctx context.Context, engine *logql.Engine, params logql.Params) (n int, first string, err error) {
	result, err := engine.Query(params).Exec(ctx)
	if err != nil {
		return 0, "", err
	}
	switch data := result.Data.(type) {
	case promql.Vector:
		for _, s := range data {
			first = s.String()
		}
		return len(data), first, nil
	case logqlmodel.Streams:
		for _, s := range data {
			if n += len(s.Entries); n > 0 && first == "" {
				first = s.Entries[0].Line
			}
		}
		return n, first, nil
	}
	return 0, "", fmt.Errorf("an answer of type %T", result.Data)
}

// readRecords makes the streams that mailtap pushes, one for each set of labels.
func readRecords(now time.Time) ([]logproto.Stream, error) {
	streams := map[string]*logproto.Stream{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var r struct{ Event, Role, Direction string }
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		for sensor, ago := range sensors {
			labels := []string{fmt.Sprintf("event=%q", r.Event), fmt.Sprintf("sensor=%q", sensor)}
			for name, value := range map[string]string{"role": r.Role, "direction": r.Direction} {
				if value != "" {
					labels = append(labels, fmt.Sprintf("%s=%q", name, value))
				}
			}
			slices.Sort(labels)
			key := "{" + strings.Join(labels, ",") + "}"
			if streams[key] == nil {
				streams[key] = &logproto.Stream{Labels: key}
			}
			s := streams[key]
			s.Entries = append(s.Entries, logproto.Entry{Timestamp: now.Add(-ago), Line: lines.Text()})
		}
	}
	var out []logproto.Stream
	for _, s := range streams {
		out = append(out, *s)
	}
	return out, lines.Err()
}
