package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mailtap/mailtap/dashboards"
)

func (p *program) dashboardsCommand() *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "dashboards DIR",
		Short: "Write dashboards for Grafana and rules for Prometheus and Loki into a folder",
		Long: `dashboards writes what shows and watches mailtap's metrics and records: in
DIR/grafana the dashboards with their provisioning, in DIR/prometheus a
configuration with recording and alerting rules, in DIR/loki rules over the
records of several sensors. docs/grafana.md tells where they go. A file that is
there and differs is left as it is, and nothing is written, without --force.`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return p.writeDashboards(dashboards.Files(), args[0], force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "overwrite files that differ")
	return c
}

func (p *program) writeDashboards(files fs.FS, dir string, force bool) error {
	if !force {
		if err := eachFile(files, dir, keepsOld); err != nil {
			return failed(err)
		}
	}
	return failed(eachFile(files, dir, func(to string, text []byte) error {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, 0o644); err != nil {
			return err
		}
		_, err := fmt.Fprintln(p.stdout, to)
		return err
	}))
}

// keepsOld is an error where somebody changed the file.
func keepsOld(to string, text []byte) error {
	old, err := os.ReadFile(to)
	if err != nil || bytes.Equal(old, text) {
		return nil // what cannot be read is told when it is written
	}
	return fmt.Errorf("%s is there and differs: nothing was written; --force overwrites it", to)
}

func eachFile(files fs.FS, dir string, do func(to string, text []byte) error) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		return do(filepath.Join(dir, filepath.FromSlash(name)), text)
	})
}
