package main

import (
	"strings"

	"github.com/spf13/pflag"
)

// textValue holds a flag's text as it was given; the configuration's own
// reader judges it, so that file, environment and flags are equally strict.
type textValue struct{ text string }

func (v *textValue) String() string     { return v.text }
func (v *textValue) Set(s string) error { v.text = s; return nil }
func (v *textValue) Type() string       { return "value" }

// shortFlags are other names for settings that are given often.
var shortFlags = map[string]string{
	"config.file": "config",
	"interface":   "capture.interfaces",
	"state-dir":   "state_dir",
	"tls-keylog":  "tls.keylog",
}

// addSettingFlags makes every setting a flag. Limits and other rarely set
// ones work but are left out of the help; config print shows them all.
// describeFlags says what they are for.
func addSettingFlags(flags *pflag.FlagSet) {
	for _, s := range settings() {
		flags.Var(&textValue{}, s.key(), "")
		flags.Lookup(s.key()).Hidden = !strings.HasPrefix(s.key(), "web.") && !strings.HasPrefix(s.key(), "log.") && s.key() != "sensor"
	}
	for _, long := range shortFlags {
		if f := flags.Lookup(long); f != nil {
			f.Hidden = false
		}
	}
}

// describeFlags gives the flags of settings the words of the default file, whose
// reading takes longer than the start of most commands: it is for those who show them.
func describeFlags(flags *pflag.FlagSet) {
	docs := descriptions()
	for _, s := range settings() {
		flags.Lookup(s.key()).Usage = docs[s.key()]
	}
}

// flagName resolves other names for flags.
func flagName(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	if long, ok := shortFlags[name]; ok {
		name = long
	}
	return pflag.NormalizedName(name)
}
