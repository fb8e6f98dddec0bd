package main

import (
	"fmt"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mailtap/mailtap/alerts"
)

// ruleOptions tells the rules what is ours. Mail servers that nobody named are
// learned; a list of names alone need not be all of them.
func (c *Config) ruleOptions() alerts.Options {
	h := &c.Home
	o := alerts.Options{
		HomeNetworks: prefixesOf(h.Networks), HomeDomains: words(h.Domains), MailServers: prefixesOf(h.MailServers),
		Scanners: prefixesOf(h.Scanners), MonitoredAccounts: words(h.MonitoredAccounts), LearnServers: len(h.MailServers) == 0,
		MaxGroups: c.ruleGroups(),
	}
	for _, s := range c.Servers {
		o.MailServers = append(o.MailServers, prefixesOf(s.Addresses)...)
	}
	return o
}

// loadRules joins the built-in rules, the site's rule files and its
// overrides, and names the key that is to blame.
func loadRules(cfg *RulesConfig) (alerts.RuleSet, *problem) {
	set := alerts.Builtin()
	for i, file := range cfg.Files {
		key := fmt.Sprintf("alerts.rules.files[%d]", i)
		more, err := readRules(string(file))
		if err == nil {
			set, err = set.Merge(more)
		}
		if err != nil {
			return set, &problem{key: key, what: err.Error()}
		}
	}
	for i, o := range cfg.Override {
		next, err := override(set, o)
		if err != nil {
			_, what, _ := strings.Cut(err.Error(), ": ") // its place is not one of the site's file
			return set, &problem{key: fmt.Sprintf("alerts.rules.override[%d]", i), what: what}
		}
		set = next
	}
	return set, nil
}

func readRules(file string) (alerts.RuleSet, error) {
	f, err := os.Open(file)
	if err != nil {
		return alerts.RuleSet{}, err
	}
	defer f.Close()
	return alerts.LoadRules(f, file)
}

// override carries out one change in the rule files' own language.
func override(set alerts.RuleSet, o Override) (alerts.RuleSet, error) {
	text, err := yaml.Marshal(map[string][]Override{"override": {o}})
	if err != nil {
		return set, err
	}
	change, err := alerts.LoadRules(strings.NewReader(string(text)), "override")
	if err != nil {
		return set, err
	}
	return set.Merge(change)
}
