package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/sessions/privacy"
)

func (p *program) privacyCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "privacy",
		Short: "Make a key of pseudonyms, or find whose they are",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		&cobra.Command{
			Use:   "key",
			Short: "Make a key and print it, for privacy.key_file",
			Args:  cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(p.stdout, privacy.NewKey().Text())
				return failed(err)
			},
		},
		&cobra.Command{
			Use:   "find VALUE...",
			Short: "Print the pseudonyms of addresses, login names or clients",
			Long: `find prints the pseudonyms of values under privacy.key_file and, during a
rotation, under privacy.previous_key_file: what to search for in records and alerts.
A value is a mail address, a login name, a domain with an @ before it, or an IP
address. There is no way back but this one: to try.`,
			Args: cobra.MinimumNArgs(1),
			RunE: func(c *cobra.Command, values []string) error { return p.findPseudonyms(c, values) },
		},
	)
	return c
}

func (p *program) findPseudonyms(c *cobra.Command, values []string) error {
	cfg, err := p.config(c)
	if err != nil {
		return err
	}
	if cfg.Privacy.KeyFile == "" {
		return errors.New("privacy.key_file: there is no key, so there are no pseudonyms")
	}
	keys, err := cfg.keyring()
	if err != nil {
		return err
	}
	for _, v := range values {
		fmt.Fprintf(p.stdout, "%s\t%s\tkey_file\n", v, privacy.Of(v, keys.key))
		if keys.earlier != nil {
			fmt.Fprintf(p.stdout, "%s\t%s\tprevious_key_file\n", v, privacy.Of(v, keys.earlier))
		}
	}
	return nil
}
