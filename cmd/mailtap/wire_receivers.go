package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/mailtap/mailtap/alerts/notify"
	"github.com/mailtap/mailtap/alerts/receivers"
)

// subscriptions makes every configured receiver, behind those that a command
// adds.
func (w wiring) subscriptions() ([]notify.Subscription, error) {
	var out []notify.Subscription
	for _, r := range w.extra {
		out = append(out, notify.Subscription{Receiver: r})
	}
	m := receiverMaker{w.cfg.sensor(), w.log, w.lines}
	for i := range w.cfg.Alerts.Receivers {
		r := &w.cfg.Alerts.Receivers[i]
		made, err := m.make(r)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "receiver ") {
				err = fmt.Errorf("receiver %s: %w", r.Name, err)
			}
			return nil, err
		}
		out = append(out, notify.Subscription{
			Receiver: made, Severity: string(r.Severity), Rules: words(r.Rules), Except: words(r.Except),
			NoResolved: r.SendResolved != nil && !*r.SendResolved, PerHour: int(r.PerHour),
		})
	}
	return out, nil
}

// receiverMaker makes receivers of their configuration: it reads the files.
type receiverMaker struct {
	sensor string
	log    *slog.Logger
	lines  io.Writer
}

func (m receiverMaker) make(r *Receiver) (notify.Receiver, error) {
	name := string(r.Name)
	switch {
	case r.Webhook != nil:
		return m.webhook(name, r.Webhook)
	case r.Alertmanager != nil:
		return m.alertmanager(name, r.Alertmanager)
	case r.Slack != nil:
		o, err := m.chat(name, r.Slack)
		if err != nil {
			return nil, err
		}
		return made(receivers.NewSlack(o))
	case r.Teams != nil:
		o, err := m.chat(name, r.Teams)
		if err != nil {
			return nil, err
		}
		return made(receivers.NewTeams(o))
	case r.Email != nil:
		return m.email(name, r.Email)
	case r.Syslog != nil:
		return m.syslog(name, r.Syslog)
	case r.File != nil:
		return receivers.NewFile(name, string(r.File.Path)), nil
	case r.Command != nil:
		return made(receivers.NewCommand(receivers.CommandOptions{
			Name: name, Argv: r.Command.Argv, Timeout: time.Duration(r.Command.Timeout), Sensor: m.sensor,
		}))
	}
	return receivers.NewText(name, m.lines), nil
}

// made keeps a nil of one kind from looking like a receiver.
func made[R notify.Receiver](r R, err error) (notify.Receiver, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (m receiverMaker) webhook(name string, c *Webhook) (notify.Receiver, error) {
	to, err := m.http(name, c.URL, c.URLFile, &c.HTTPConfig)
	if err != nil {
		return nil, err
	}
	o := receivers.WebhookOptions{
		Name: name, URL: to.URL, Headers: to.Headers, Timeout: to.Timeout, TLS: to.TLS, Sensor: m.sensor,
		ContentType: string(c.ContentType),
	}
	if c.SecretFile != "" {
		if o.Secret, err = m.secret(name, c.SecretFile); err != nil {
			return nil, err
		}
	}
	if c.Body != "" {
		if o.Body, err = receivers.ParseBody(c.Body, c.contentType()); err != nil {
			return nil, err
		}
	}
	return made(receivers.NewWebhook(o))
}

func (m receiverMaker) alertmanager(name string, c *AlertmanagerConfig) (notify.Receiver, error) {
	o := receivers.AlertmanagerOptions{Name: name, Sensor: m.sensor, Trouble: m.trouble(name)}
	urls := c.URLs
	if c.URLsFile != "" {
		text, err := m.readSecret(name, c.URLsFile)
		if err != nil {
			return nil, err
		}
		for _, line := range strings.Fields(text) {
			var u URL
			if err := u.UnmarshalText([]byte(line)); err != nil {
				return nil, fmt.Errorf("urls_file %s: %w", c.URLsFile, err)
			}
			urls = append(urls, u)
		}
	}
	for _, u := range urls {
		to, err := m.http(name, u, "", &c.HTTPConfig)
		if err != nil {
			return nil, err
		}
		o.Instances = append(o.Instances, to)
	}
	return made(receivers.NewAlertmanager(o))
}

func (m receiverMaker) chat(name string, c *ChatConfig) (o receivers.ChatOptions, err error) {
	o = receivers.ChatOptions{Name: name, Sensor: m.sensor}
	if o.HTTP, err = m.http(name, c.URL, c.URLFile, &c.HTTPConfig); err != nil {
		return o, err
	}
	o.Text, err = textTemplate(c.Text)
	return o, err
}

func textTemplate(text string) (*receivers.Template, error) {
	if text == "" {
		return nil, nil
	}
	return receivers.ParseText(text)
}

func (m receiverMaker) email(name string, c *EmailConfig) (notify.Receiver, error) {
	o := receivers.MailOptions{
		Name: name, Server: string(c.Server), From: string(c.From), To: words(c.To), Hello: string(c.Hello), Username: c.Username,
		ImplicitTLS: c.ImplicitTLS, InsecureWithoutTLS: c.InsecureWithoutTLS, Timeout: time.Duration(c.Timeout), Sensor: m.sensor,
		Trouble: m.trouble(name),
	}
	var err error
	if c.PasswordFile != "" {
		if o.Password, err = m.secret(name, c.PasswordFile); err != nil {
			return nil, err
		}
	}
	if o.TLS, err = m.tls(name, c.TLS); err != nil {
		return nil, err
	}
	if o.Text, err = textTemplate(c.Text); err != nil {
		return nil, err
	}
	return made(receivers.NewMail(o))
}

func (m receiverMaker) syslog(name string, c *SyslogConfig) (notify.Receiver, error) {
	o := receivers.SyslogOptions{
		Name: name, Address: string(c.Address), Facility: string(c.Facility), Timeout: time.Duration(c.Timeout), Sensor: m.sensor,
	}
	o.Hostname, _ = os.Hostname()
	var err error
	if o.TLS, err = m.tls(name, c.TLS); err != nil {
		return nil, err
	}
	return made(receivers.NewSyslog(o))
}

func (m receiverMaker) http(name string, url URL, file Path, c *HTTPConfig) (receivers.HTTP, error) {
	to := receivers.HTTP{URL: string(url), Headers: make(map[string]string), Timeout: time.Duration(c.Timeout)}
	var err error
	if file != "" {
		if to.URL, err = m.secret(name, file); err != nil {
			return to, err
		}
	}
	for header, value := range c.Headers {
		to.Headers[string(header)] = value
	}
	for header, file := range c.HeaderFiles {
		if to.Headers[string(header)], err = m.secret(name, file); err != nil {
			return to, err
		}
	}
	to.TLS, err = m.tls(name, c.TLS)
	return to, err
}

// tls reads certificates and keys; nil where nothing is set.
func (m receiverMaker) tls(name string, c *ClientTLS) (*tls.Config, error) {
	if c == nil {
		return nil, nil
	}
	if c.KeyFile != "" {
		m.warnOpen(name, c.KeyFile)
	}
	least := promconfig.TLSVersion(tls.VersionTLS12)
	if c.MinVersion == "TLS13" {
		least = tls.VersionTLS13
	}
	if c.InsecureSkipVerify {
		m.log.Warn("a receiver's certificate is not checked", "receiver", name)
	}
	return promconfig.NewTLSConfig(&promconfig.TLSConfig{
		CAFile: string(c.CAFile), CertFile: string(c.CertFile), KeyFile: string(c.KeyFile), ServerName: c.ServerName,
		MinVersion: least, InsecureSkipVerify: c.InsecureSkipVerify,
	})
}

// maxSecret is how long a file with a secret may be.
const maxSecret = 64 << 10

// secret reads a file that holds one line.
func (m receiverMaker) secret(name string, file Path) (string, error) {
	text, err := m.readSecret(name, file)
	switch {
	case err != nil:
		return "", err
	case text == "":
		return "", fmt.Errorf("%s is empty", file)
	case strings.ContainsAny(text, "\r\n\x00"):
		return "", fmt.Errorf("%s must hold one line", file)
	}
	return text, nil
}

func (m receiverMaker) readSecret(name string, file Path) (string, error) {
	m.warnOpen(name, file)
	f, err := os.Open(string(file))
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err == nil && len(text) > maxSecret {
		err = errors.New(string(file) + " is too long for a secret")
	}
	return strings.TrimSpace(string(text)), err
}

// warnOpen says where everybody can read a secret. The group is no stranger: root
// gives a secret to a service by its group.
func (m receiverMaker) warnOpen(name string, file Path) {
	if info, err := os.Stat(string(file)); err == nil && info.Mode().Perm()&0o004 != 0 {
		m.log.Warn("a file with a secret can be read by everybody: chmod o-r", "receiver", name, "file", string(file), "mode", info.Mode().Perm().String())
	}
}

// trouble tells the log what went wrong although an alert was delivered.
func (m receiverMaker) trouble(name string) func(string) {
	return func(what string) { m.log.Warn("a receiver takes alerts in part", "receiver", name, "problem", what) }
}
