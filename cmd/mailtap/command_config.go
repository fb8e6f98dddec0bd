package main

import (
	"fmt"
	"runtime"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/capture"
)

// version is set by the linker.
var version = "unknown"

func (p *program) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Check the configuration, print the commented default", Args: cobra.NoArgs}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	c.AddCommand(
		&cobra.Command{
			Use: "check", Short: "Check the configuration: file, environment and flags together", Args: cobra.NoArgs,
			RunE: func(c *cobra.Command, _ []string) error { return p.checkConfig(c) },
		},
		&cobra.Command{
			Use: "print", Short: "Print the whole default, commented", Args: cobra.NoArgs,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(p.stdout, defaultFile)
				return failed(err)
			},
		})
	return c
}

func (p *program) checkConfig(c *cobra.Command) error {
	if _, err := p.config(c); err != nil {
		return err
	}
	name := p.configFile
	if name == "" {
		name = "the configuration without a file"
	}
	_, err := fmt.Fprintf(p.stdout, "%s is valid\n", name)
	return failed(err)
}

func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version and which live capture is built in", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(p.stdout, "mailtap %s (%s, %s/%s)\nlive capture: %s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH,
				capture.BuiltIn())
			return failed(err)
		},
	}
}

func (p *program) interfacesCommand() *cobra.Command {
	return &cobra.Command{
		Use: "interfaces", Short: "List what can be captured here, and which privilege is missing", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return failed(p.listInterfaces()) },
	}
}

func (p *program) listInterfaces() error {
	list, err := capture.Interfaces()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "INTERFACE\tADDRESSES\tCAPTURE")
	for _, i := range list {
		addresses := "-"
		if len(i.Addresses) > 0 {
			addresses = fmt.Sprint(i.Addresses)
		}
		state := "ready"
		if i.Problem != nil {
			state = i.Problem.Error()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", i.Name, addresses, state)
	}
	return w.Flush()
}
