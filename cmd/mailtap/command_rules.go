package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/alerts"
)

func (p *program) rulesCommand() *cobra.Command {
	c := &cobra.Command{Use: "rules", Short: "List, print, check and test the rules that alerts come from", Args: cobra.NoArgs}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(p.rulesListCommand(), p.rulesPrintCommand(), p.rulesCheckCommand(), p.rulesTestCommand())
	return c
}

func (p *program) rulesPrintCommand() *cobra.Command {
	return &cobra.Command{
		Use: "print", Short: "Print the built-in rule file, whose head explains the language", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.printRules() },
	}
}

func (p *program) printRules() error {
	_, err := fmt.Fprint(p.stdout, alerts.BuiltinYAML())
	return failed(err)
}

func (p *program) rulesCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE...]",
		Short: "Check rule files, or those of the configuration",
		Long: `check reads rule files as mailtap run would, in the order given, over the
built-in rules: keys, fields, types, windows, names, overrides. Without a FILE it
checks the rule files and overrides of the configuration. A mistake is told with
file, line, column and rule, and the exit status is 2. What is allowed but
cannot be meant (an override that changes nothing, a rule that never fires) is a
warning.`,
		RunE: func(c *cobra.Command, files []string) error { return p.checkRules(c, files) },
	}
}

// checkRules tells the mistakes of every file, not only those of the first one.
func (p *program) checkRules(c *cobra.Command, files []string) error {
	if len(files) == 0 {
		return p.checkConfiguredRules(c)
	}
	set := alerts.Builtin()
	var errs []error
	for _, file := range files {
		more, err := p.readRulesFrom(file)
		if err == nil {
			var next alerts.RuleSet
			if next, err = set.Merge(more); err == nil {
				p.tellRules(file, set, more)
				set = next
			}
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (p *program) checkConfiguredRules(c *cobra.Command) error {
	cfg, err := p.config(c) // it loads the rules too, and names the key that is to blame
	if err != nil {
		return err
	}
	set := alerts.Builtin()
	fmt.Fprintf(p.stdout, "built-in: %s: good\n", counted(len(set.Rules), "rule"))
	for _, file := range cfg.Alerts.Rules.Files {
		more, err := readRules(string(file))
		if err != nil {
			return err
		}
		p.tellRules(string(file), set, more)
		if set, err = set.Merge(more); err != nil {
			return err
		}
	}
	if n := len(cfg.Alerts.Rules.Override); n > 0 {
		fmt.Fprintf(p.stdout, "alerts.rules.override: %s: good\n", counted(n, "override"))
	}
	return nil
}

// tellRules says what a good file holds, and on standard error what is odd in it.
func (p *program) tellRules(file string, before, more alerts.RuleSet) {
	fmt.Fprintf(p.stdout, "%s: %s, %s: good\n", file, counted(len(more.Rules), "rule"), counted(more.Overrides(), "override"))
	for _, warning := range before.Warnings(more) {
		fmt.Fprintf(p.stderr, "mailtap: warning: %s\n", warning)
	}
}

// readRulesFrom reads a rule file, or standard input for -.
func (p *program) readRulesFrom(file string) (alerts.RuleSet, error) {
	if file == "-" {
		return alerts.LoadRules(p.stdin, "standard input")
	}
	return readRules(file)
}

// counted writes a number and what it is a number of.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
