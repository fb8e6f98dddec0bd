package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/alerts"
)

// listedRule is a rule as `rules list` shows it.
type listedRule struct {
	Name           string   `json:"name"`
	Severity       []string `json:"severity"` // all that its alerts can have
	Events         []string `json:"events"`
	Fires          string   `json:"fires"`
	GroupBy        []string `json:"group_by"`
	State          string   `json:"state"`            // on, off (it cannot judge), disabled
	Reason         string   `json:"reason,omitempty"` // why it is off
	Overridden     []string `json:"overridden,omitempty"`
	At             string   `json:"at"` // file:line:column
	RepeatInterval string   `json:"repeat_interval"`
	Techniques     []string `json:"techniques,omitempty"`
	Runbook        string   `json:"runbook,omitempty"`
}

func (p *program) rulesListCommand() *cobra.Command {
	var format string
	var yaml bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the rules in effect: built-in, from files, overridden",
		Long: `list shows every rule of the configuration: its severities, the events it reads
and how it fires, what an alert is about, and its state: on; off, where it cannot
judge for want of a setting; disabled. "overridden" names what the site changed.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if yaml {
				return p.printRules()
			}
			return p.listRules(c, format)
		},
	}
	c.Flags().StringVar(&format, "format", "text", "`form` of the output: text (a table) or json")
	c.Flags().BoolVar(&yaml, "yaml", false, "print the built-in rule file instead, as rules print does")
	return c
}

func (p *program) listRules(c *cobra.Command, format string) error {
	if format != "text" && format != "json" {
		return fmt.Errorf("flag --format: %q is no form of the output, allowed is text, json", format)
	}
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	list, err := listed(&cfg)
	if err != nil {
		return err
	}
	if format == "json" {
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return failed(e.Encode(list))
	}
	return failed(writeRules(p.stdout, list))
}

// listed asks an engine which rules it would leave off.
func listed(cfg *Config) ([]listedRule, error) {
	set, bad := loadRules(&cfg.Alerts.Rules)
	if bad != nil {
		return nil, configError{*bad}
	}
	o := &outputs{}
	w := wiring{cfg: cfg, log: slog.New(slog.DiscardHandler), offline: true}
	if err := w.addEngine(o, set); err != nil {
		return nil, err
	}
	out := make([]listedRule, len(set.Rules))
	for i := range set.Rules {
		r := &set.Rules[i]
		out[i] = listedRule{
			Name: r.Name, Severity: r.Severities(), Events: r.Events(), Fires: r.Fires(), GroupBy: r.GroupBy(), State: "on",
			Overridden: r.Overridden(), At: r.Position(), RepeatInterval: r.Repeat().String(), Techniques: r.Techniques, Runbook: r.Runbook,
		}
		out[i].judge(r.Disabled, o.engine.Off())
	}
	return out, nil
}

func (l *listedRule) judge(disabled bool, off []alerts.Off) {
	if disabled {
		l.State = "disabled"
		return
	}
	for _, o := range off {
		if o.Rule == l.Name {
			l.State, l.Reason = "off", o.Reason()
		}
	}
}

func (l *listedRule) state() string {
	out := l.State
	if l.Reason != "" {
		out += ": " + l.Reason
	}
	if len(l.Overridden) > 0 {
		out += ", overridden"
	}
	return out
}

func writeRules(to io.Writer, list []listedRule) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tSEVERITY\tFIRES\tGROUP\tSTATE")
	for i := range list {
		l := &list[i]
		group := strings.Join(l.GroupBy, ", ")
		if group == "" {
			group = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.Name, strings.Join(l.Severity, ","), alerts.Clip(once(l.Fires)), alerts.Clip(group), l.state())
	}
	return w.Flush()
}

// once leaves out ways to fire that read the same: triggers of other groups.
func once(fires string) string {
	ways := strings.Split(fires, "; ")
	var out []string
	for _, way := range ways {
		if !slices.Contains(out, way) {
			out = append(out, way)
		}
	}
	return strings.Join(out, "; ")
}
