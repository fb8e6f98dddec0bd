package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/receivers"
)

func ruleNames(set alerts.RuleSet) []string {
	var names []string
	for i := range set.Rules {
		names = append(names, set.Rules[i].Name)
	}
	return names
}

func (c *checker) receivers(list []Receiver, rules []string) {
	var names []Name
	for i := range list {
		r := &list[i]
		key := fmt.Sprintf("alerts.receivers[%d]", i)
		names = append(names, r.Name)
		var given, all []string
		for _, k := range r.kinds() {
			all = append(all, k.name)
			if k.given {
				given = append(given, k.name)
			}
		}
		switch {
		case r.Name == "":
			c.fail(key, "has no name")
		case slices.Contains(names[:i], r.Name):
			c.fail(key+".name", "%s stands twice", r.Name)
		case len(given) > 1:
			c.fail(key, "%s has %s, one of them is wanted", r.Name, strings.Join(given, " and "))
		case len(given) == 0:
			c.fail(key, "%s has no kind, one is wanted of %s", r.Name, strings.Join(all, ", "))
		default:
			c.receiver(key+"."+given[0], r)
		}
		c.ruleNames(key+".rules", r.Rules, rules)
		c.ruleNames(key+".except", r.Except, rules)
	}
}

// ruleNames refuses rules that are not there: who waits for their alerts waits
// in vain.
func (c *checker) ruleNames(key string, names []Name, rules []string) {
	for i, name := range names {
		if !slices.Contains(rules, string(name)) {
			near := nearest(string(name), rules)
			if near != "" {
				near = ", did you mean " + near + "?"
			}
			c.fail(fmt.Sprintf("%s[%d]", key, i), "%s is no rule%s", name, near)
		}
	}
}

func (c *checker) receiver(key string, r *Receiver) {
	switch {
	case r.Webhook != nil:
		c.oneURL(key, r.Webhook.URL, r.Webhook.URLFile)
		c.http(key, &r.Webhook.HTTPConfig)
		c.body(key, r.Webhook)
	case r.Alertmanager != nil:
		if (len(r.Alertmanager.URLs) == 0) == (r.Alertmanager.URLsFile == "") {
			c.fail(key, "must have either urls or urls_file")
		}
		c.http(key, &r.Alertmanager.HTTPConfig)
	case r.Slack != nil:
		c.chat(key, r.Slack)
	case r.Teams != nil:
		c.chat(key, r.Teams)
	case r.Email != nil:
		c.email(key, r.Email)
	case r.Syslog != nil:
		if r.Syslog.Address == "" {
			c.fail(key, "has no address")
		}
		c.tls(key, r.Syslog.TLS)
	case r.File != nil && r.File.Path == "":
		c.fail(key, "has no path")
	case r.Command != nil && (len(r.Command.Argv) == 0 || r.Command.Argv[0] == ""):
		c.fail(key, "has no argv: write the program and its arguments as a list")
	}
}

func (c *checker) oneURL(key string, url URL, file Path) {
	if (url == "") == (file == "") {
		c.fail(key, "must have either url or url_file")
	}
}

func (c *checker) http(key string, h *HTTPConfig) {
	for name := range h.HeaderFiles {
		if _, twice := h.Headers[name]; twice {
			c.fail(fmt.Sprintf("%s.header_files.%s", key, name), "stands in headers as well")
		}
	}
	for name, value := range h.Headers {
		if strings.ContainsAny(value, "\r\n\x00") {
			c.fail(fmt.Sprintf("%s.headers.%s", key, name), "the value must be one line")
		}
	}
	c.tls(key, h.TLS)
}

func (c *checker) tls(key string, t *ClientTLS) {
	if t != nil && (t.CertFile == "") != (t.KeyFile == "") {
		c.fail(key+".tls", "cert_file and key_file belong together")
	}
}

func (c *checker) chat(key string, chat *ChatConfig) {
	c.oneURL(key, chat.URL, chat.URLFile)
	c.http(key, &chat.HTTPConfig)
	c.text(key, chat.Text)
}

func (c *checker) email(key string, e *EmailConfig) {
	switch {
	case e.Server == "":
		c.fail(key, "has no server")
	case e.From == "":
		c.fail(key, "has no from")
	case len(e.To) == 0:
		c.fail(key, "has no to")
	case (e.Username == "") != (e.PasswordFile == ""):
		c.fail(key, "username and password_file belong together")
	case e.InsecureWithoutTLS && e.Username != "":
		c.fail(key+".insecure_without_tls", "a password is sent inside TLS only, leave username out")
	case e.InsecureWithoutTLS && e.ImplicitTLS:
		c.fail(key+".insecure_without_tls", "contradicts implicit_tls")
	}
	c.tls(key, e.TLS)
	c.text(key, e.Text)
}

func (c *checker) text(key, text string) {
	if text == "" {
		return
	}
	if _, err := receivers.ParseText(text); err != nil {
		c.fail(key+".text", "%v", err)
	}
}

func (c *checker) body(key string, w *Webhook) {
	if w.Body == "" {
		if w.ContentType != "" {
			c.fail(key+".content_type", "belongs to body, which is not given")
		}
		return
	}
	if _, err := receivers.ParseBody(w.Body, w.contentType()); err != nil {
		c.fail(key+".body", "%v", err)
	}
}

func (w *Webhook) contentType() string {
	if w.ContentType == "" {
		return "application/json"
	}
	return string(w.ContentType)
}
