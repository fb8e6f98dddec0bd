//go:build manual

package main

import (
	"bytes"
	"os"
	"path/filepath"

	"github.com/cpuguy83/go-md2man/v2/md2man"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

// addBuildCommands adds what only packaging calls: shipped programs are built
// without the tag, and so without what makes man pages.
func (p *program) addBuildCommands(root *cobra.Command) {
	root.AddCommand(&cobra.Command{
		Use: "manual DIR", Short: "Write the man pages into a folder", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return failed(p.writeManual(args[0])) },
	})
}

// writeManual writes a page for each command and one for the configuration. The
// keys of the configuration are flags of all commands: they stand on the first
// page only. The date is SOURCE_DATE_EPOCH's.
func (p *program) writeManual(dir string) error {
	p.root.DisableAutoGenTag = true
	p.root.InitDefaultCompletionCmd()
	describeFlags(p.root.PersistentFlags())
	header := &doc.GenManHeader{Section: "1", Source: "mailtap " + version, Manual: "mailtap"}
	var page bytes.Buffer
	first := *header // GenMan fills in the title and the date
	if err := doc.GenMan(p.root, &first, &page); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "mailtap.1"), page.Bytes(), 0o644); err != nil {
		return err
	}
	header.Date = first.Date
	p.root.PersistentFlags().VisitAll(func(flag *pflag.Flag) { flag.Hidden = flag.Name != "config" })
	for _, c := range p.root.Commands() {
		if c.Hidden || c.Name() == "help" {
			continue
		}
		if err := doc.GenManTree(c, header, dir); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "mailtap.yaml.5"), configurationPage(header), 0o644)
}

func configurationPage(header *doc.GenManHeader) []byte {
	return md2man.Render([]byte("# mailtap.yaml 5 \"" + header.Date.Format("Jan 2006") + "\" \"" + header.Source + "\" \"" + header.Manual + `"

# NAME

mailtap.yaml - configuration of mailtap

# DESCRIPTION

The program reads the file that **\-\-config** names; the service of the package
reads */etc/mailtap/mailtap.yaml*. **mailtap config check** checks a file,
**mailtap config print** prints what follows: every key with its default.

` + "```\n" + defaultFile + "```\n" + `
# SEE ALSO

**mailtap(1)**, **mailtap-run(1)**, **mailtap-config-check(1)**
`))
}
