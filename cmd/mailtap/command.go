package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/sandbox"
)

// Exit statuses, part of the command line's contract.
const (
	exitDone   = 0
	exitFailed = 1 // while running
	exitUsage  = 2 // of the command line or the configuration
)

// failure is an error that came while running, not from wrong usage.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// failed marks an error as one that came while running.
func failed(err error) error {
	if err == nil {
		return nil
	}
	return failure{err}
}

// program is what a command works with.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	root           *cobra.Command
	exit           func(int) // ends the process at once
	configFile     string
	alone          bool             // the process is the command's: it may give up what it can do
	sandbox        *sandbox.Sandbox // what it gave up
	faults         faults
}

// run is the whole program: it parses the arguments, does what they say and
// returns the exit status. The process stays what it is.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newProgram(stdin, stdout, stderr).run(args)
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer) *program {
	return &program{stdin: stdin, stdout: stdout, stderr: stderr, exit: os.Exit}
}

func (p *program) run(args []string) int {
	p.root = p.rootCommand()
	if len(args) > 0 && args[0] == cobra.ShellCompRequestCmd {
		describeFlags(p.root.PersistentFlags())
	}
	p.root.SetArgs(args)
	p.root.SetIn(p.stdin)
	p.root.SetOut(p.stdout)
	p.root.SetErr(p.stderr)
	err := p.root.Execute()
	if err == nil {
		return exitDone
	}
	if !errors.Is(err, errProblems) {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintf(p.stderr, "mailtap: %s\n", line)
		}
	}
	var f failure
	if errors.As(err, &f) {
		return exitFailed
	}
	return exitUsage
}

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "mailtap",
		Short: "Watch mail on the wire: sessions, metrics and alerts from captures or a mirror port",
		Long: `mailtap watches mail on the wire: it reads captures or a mirror port, rebuilds
TCP, reads SMTP, and gives session records, Prometheus metrics and alerts.

Every key of the configuration file is a flag too: limits.idle_timeout is
--limits.idle_timeout, and MAILTAP_LIMITS_IDLE_TIMEOUT in the environment.
"mailtap config print" shows all of them.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	flags := root.PersistentFlags()
	flags.StringVar(&p.configFile, "config", os.Getenv("MAILTAP_CONFIG"), "configuration `file` (also --config.file, and MAILTAP_CONFIG in the environment)")
	addSettingFlags(flags)
	p.faults.flags(flags)
	root.AddCommand(p.runCommand(), p.readCommand(), p.showCommand(), p.demoCommand(), p.alertsCommand(), p.rulesCommand(), p.dashboardsCommand(), p.configCommand(), p.doctorCommand(), p.privacyCommand(), p.interfacesCommand(), p.versionCommand())
	p.addBuildCommands(root)
	root.SetGlobalNormalizationFunc(flagName)
	help := root.HelpFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		describeFlags(flags)
		help(c, args)
	})
	return root
}

// config loads the configuration of the command that runs.
func (p *program) config(c *cobra.Command) (Config, error) { return p.configIf(c, nil) }

// configIf asks, if it is not nil, whether the paths of the configuration may be
// opened, before any of them is.
func (p *program) configIf(c *cobra.Command, allowed func(*Config) error) (Config, error) {
	p.faults.start()
	l := loader{allowed: allowed, file: p.configFile, flags: c.Flags(), getenv: os.LookupEnv, names: environment}
	return l.load()
}
