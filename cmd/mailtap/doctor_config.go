package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/mailtap/mailtap/doctor"
)

// What the configuration gives the doctor to look at.

// configuration tells its mistakes, and what a site should not leave out.
func (e *examination) configuration() []doctor.Finding {
	const check = "configuration"
	if e.broken != nil {
		var out []doctor.Finding
		for line := range strings.SplitSeq(e.broken.Error(), "\n") {
			out = append(out, doctor.Finding{State: doctor.Problem, Check: check, Found: line, Means: "run does not start; the checks below take the defaults", Do: "mailtap config check --config " + e.file})
		}
		return out
	}
	file := e.file
	if file == "" {
		file = "the default, without a file"
	}
	out := []doctor.Finding{{State: doctor.OK, Check: check, Found: file + ": valid", Means: e.rules()}}
	note := func(key, found, means, do string) {
		out = append(out, doctor.Finding{State: doctor.Note, Check: check, About: key, Found: found, Means: means, Do: do})
	}
	if len(e.cfg.Home.Networks) == 0 {
		note("home.networks", "not set", "private addresses are taken for ours; a site with public ones must name them", "home: {networks: [192.0.2.0/24]}")
	}
	if len(e.cfg.Home.Domains) == 0 {
		note("home.domains", "not set", "rules that ask whose domain it is (OpenRelay, SpoofedSender) are silent", "home: {domains: [example.org]}")
	}
	if len(e.cfg.Alerts.Receivers) == 0 {
		note("alerts.receivers", "none", "alerts are counted and on the page, nobody is told", "docs/receivers.md")
	}
	if e.cfg.StateDir == "" {
		note("state_dir", "not set", "alerts that wait for receivers, and what rules learned, are lost with a restart", "state_dir: /var/lib/mailtap")
	}
	return out
}

// rules were loaded by the check of the configuration: a mistake is told there.
func (e *examination) rules() string {
	set, bad := loadRules(&e.cfg.Alerts.Rules)
	if bad != nil {
		return bad.what
	}
	return fmt.Sprintf("%s, %s", counted(len(set.Rules), "alert rule"), counted(len(e.cfg.Alerts.Rules.Files), "rule file"))
}

// places are the folders that run writes to.
func (e *examination) places() []doctor.Place {
	var out []doctor.Place
	c := e.cfg
	if c.StateDir != "" {
		p := doctor.Place{Key: "state_dir", Folder: string(c.StateDir), Makes: true}
		if c.Loki.URL != "" {
			p.Needs = uint64(c.Loki.SpoolSize)
		}
		out = append(out, p)
	}
	if file := c.Log.Records.File; file != "" {
		out = append(out, doctor.Place{Key: "log.records.file", Folder: filepath.Dir(string(file)), Needs: uint64(c.Log.Records.RotateSize)})
	}
	if dir := c.Alerts.Evidence.Directory; dir != "" {
		out = append(out, doctor.Place{Key: "alerts.evidence.directory", Folder: string(dir), Needs: uint64(c.Alerts.Evidence.MaxSize), Makes: true})
	}
	for i := range c.Alerts.Receivers {
		if r := &c.Alerts.Receivers[i]; r.File != nil {
			out = append(out, doctor.Place{Key: "receiver " + string(r.Name), Folder: filepath.Dir(string(r.File.Path))})
		}
	}
	return out
}

// others are those to whom records and alerts go.
func (e *examination) others() {
	for _, t := range e.targets() {
		e.report.Add(doctor.Reach(e.ctx, t))
	}
	for i := range e.cfg.Alerts.Receivers {
		if r := &e.cfg.Alerts.Receivers[i]; r.Command != nil && len(r.Command.Argv) > 0 {
			e.report.Add(doctor.Program(string(r.Name), r.Command.Argv[0]))
		}
	}
}

func (e *examination) targets() []doctor.Target {
	var out []doctor.Target
	c := e.cfg
	if c.Loki.URL != "" {
		out = append(out, doctor.Target{Check: "loki", Network: "tcp", Address: hostPort(string(c.Loki.URL))})
	}
	if c.Syslog.URL != "" {
		out = append(out, syslogTarget(string(c.Syslog.URL)))
	}
	for i := range c.Alerts.Receivers {
		r := &c.Alerts.Receivers[i]
		addresses, err := addressesOf(r)
		if err != nil {
			e.report.Add(doctor.Finding{State: doctor.Problem, Check: "receiver", About: string(r.Name), Found: err.Error(), Means: "run does not start", Do: "make the file, readable for mailtap's user alone"})
		}
		for _, a := range addresses {
			out = append(out, doctor.Target{Check: "receiver", Name: string(r.Name), Network: "tcp", Address: a, Try: "mailtap alerts test tries the rest"})
		}
	}
	return out
}

// addressesOf are host and port of a receiver by network. Addresses may be
// secret: nothing else of them is taken.
func addressesOf(r *Receiver) ([]string, error) {
	switch {
	case r.Webhook != nil:
		return oneAddress(r.Webhook.URL, r.Webhook.URLFile)
	case r.Slack != nil:
		return oneAddress(r.Slack.URL, r.Slack.URLFile)
	case r.Teams != nil:
		return oneAddress(r.Teams.URL, r.Teams.URLFile)
	case r.Email != nil:
		return []string{string(r.Email.Server)}, nil
	case r.Syslog != nil:
		return []string{string(r.Syslog.Address)}, nil
	case r.Alertmanager != nil:
		var out []string
		for _, u := range r.Alertmanager.URLs {
			out = append(out, hostPort(string(u)))
		}
		if r.Alertmanager.URLsFile == "" {
			return out, nil
		}
		return addressesIn(r.Alertmanager.URLsFile)
	}
	return nil, nil
}

func oneAddress(u URL, file Path) ([]string, error) {
	if file != "" {
		return addressesIn(file)
	}
	return []string{hostPort(string(u))}, nil
}

// addressesIn reads a file of URLs, of which the error shows nothing.
func addressesIn(file Path) ([]string, error) {
	text, err := (receiverMaker{log: slog.New(slog.DiscardHandler)}).readSecret("", file)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, line := range strings.Fields(text) {
		var u URL
		if u.UnmarshalText([]byte(line)) != nil {
			return nil, fmt.Errorf("%s holds something that is no URL", file)
		}
		out = append(out, hostPort(string(u)))
	}
	return out, nil
}

// hostPort is what of an address may be shown.
func hostPort(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// syslogTarget is where records go by syslog.
func syslogTarget(text string) doctor.Target {
	t := doctor.Target{Check: "syslog", Network: "tcp"}
	u, err := url.Parse(text)
	if err != nil {
		return t
	}
	switch t.Address = u.Host; u.Scheme {
	case "unix":
		t.Network, t.Address = "unix", u.Path
	case "udp":
		t.Network = "udp"
	}
	return t
}
