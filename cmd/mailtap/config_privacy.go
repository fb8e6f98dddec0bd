package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/mailtap/mailtap/sessions/privacy"
)

// PrivacyConfig says what outputs show of persons.
type PrivacyConfig struct {
	Addresses       PrivacyMode `mapstructure:"addresses"`
	Users           PrivacyMode `mapstructure:"users"`
	Subjects        PrivacyMode `mapstructure:"subjects"`
	FileNames       PrivacyMode `mapstructure:"file_names"`
	Clients         PrivacyMode `mapstructure:"clients"`
	ClientPrefixV4  Count       `mapstructure:"client_prefix_v4"`
	ClientPrefixV6  Count       `mapstructure:"client_prefix_v6"`
	Texts           PrivacyMode `mapstructure:"texts"`
	KeyFile         Path        `mapstructure:"key_file"`
	PreviousKeyFile Path        `mapstructure:"previous_key_file"`
}

// PrivacyOverride is what one output shows in another way.
type PrivacyOverride map[PrivacyKind]PrivacyMode

type (
	// PrivacyKind is a kind of values that tell of persons.
	PrivacyKind string
	// PrivacyMode says how values of a kind are shown.
	PrivacyMode string
)

// kindModes are the kinds with their modes.
var kindModes = []struct {
	kind  PrivacyKind
	modes []privacy.Mode
}{
	{"addresses", privacy.AddressModes}, {"users", privacy.AddressModes}, {"subjects", privacy.SubjectModes},
	{"file_names", privacy.FileModes}, {"clients", privacy.ClientModes}, {"texts", privacy.TextModes},
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (k *PrivacyKind) UnmarshalText(b []byte) error {
	var names []string
	for _, x := range kindModes {
		names = append(names, string(x.kind))
	}
	return oneOf(k, b, "kind of values", names...)
}

// UnmarshalText implements encoding.TextUnmarshaler. Which modes a kind has is
// checked when it is known.
func (m *PrivacyMode) UnmarshalText(b []byte) error {
	var names []string
	for _, x := range kindModes {
		for _, mode := range x.modes {
			if !slices.Contains(names, string(mode)) {
				names = append(names, string(mode))
			}
		}
	}
	return oneOf(m, b, "way to show values", names...)
}

func defaultPrivacy() PrivacyConfig {
	full := PrivacyMode(privacy.Full)
	return PrivacyConfig{
		Addresses: full, Users: full, Subjects: full, FileNames: full, Clients: full, Texts: PrivacyMode(privacy.Scrubbed),
		ClientPrefixV4: privacy.DefaultPrefixV4, ClientPrefixV6: privacy.DefaultPrefixV6,
	}
}

// settings are what an output shows.
func (c *PrivacyConfig) settings(o PrivacyOverride) privacy.Settings {
	mode := func(kind PrivacyKind, general PrivacyMode) privacy.Mode {
		if own, ok := o[kind]; ok {
			return privacy.Mode(own)
		}
		return privacy.Mode(general)
	}
	return privacy.Settings{
		Addresses: mode("addresses", c.Addresses), Users: mode("users", c.Users), Subjects: mode("subjects", c.Subjects),
		FileNames: mode("file_names", c.FileNames), Clients: mode("clients", c.Clients), Texts: mode("texts", c.Texts),
		PrefixV4: int(c.ClientPrefixV4), PrefixV6: int(c.ClientPrefixV6),
	}
}

// overrides lists the outputs that may show something in another way.
func (c *Config) overrides() map[string]PrivacyOverride {
	return map[string]PrivacyOverride{
		"privacy": nil, "log.records.privacy": c.Log.Records.Privacy, "loki.privacy": c.Loki.Privacy, "syslog.privacy": c.Syslog.Privacy,
		"web.privacy": c.Web.Privacy, "alerts.privacy": c.Alerts.Privacy,
	}
}

func (c *checker) privacy(cfg *Config) {
	p := &cfg.Privacy
	c.modes("privacy", PrivacyOverride{
		"addresses": p.Addresses, "users": p.Users, "subjects": p.Subjects, "file_names": p.FileNames, "clients": p.Clients, "texts": p.Texts,
	})
	if p.ClientPrefixV4 > 32 {
		c.fail("privacy.client_prefix_v4", "%d bits, allowed is 1 to 32", p.ClientPrefixV4)
	}
	if p.ClientPrefixV6 > 128 {
		c.fail("privacy.client_prefix_v6", "%d bits, allowed is 1 to 128", p.ClientPrefixV6)
	}
	needs := ""
	all := cfg.overrides()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if key != "privacy" {
			c.modes(key, all[key])
		}
		s := p.settings(all[key])
		if s.NeedsKey() && needs == "" {
			needs = key
		}
	}
	if needs != "" && p.KeyFile == "" {
		c.fail(needs, "pseudonyms need privacy.key_file: make one with `(umask 077; mailtap privacy key > /etc/mailtap/privacy.key)`")
	}
	if p.PreviousKeyFile != "" && p.KeyFile == "" {
		c.fail("privacy.previous_key_file", "there is no privacy.key_file that came after it")
	}
	for key, file := range map[string]Path{"privacy.key_file": p.KeyFile, "privacy.previous_key_file": p.PreviousKeyFile} {
		if file != "" {
			if _, err := readKey(file); err != nil {
				c.fail(key, "%s", err)
			}
		}
	}
	c.found = append(c.found, keepsWhatIsHidden(cfg)...)
}

// keepsWhatIsHidden tells where evidence would keep what an output hides. A reload asks
// for what holds then: the folder of evidence stays until a restart.
func keepsWhatIsHidden(cfg *Config) []problem {
	if cfg.Alerts.Evidence.Directory == "" || cfg.Alerts.Evidence.DespitePrivacy {
		return nil
	}
	all := cfg.overrides()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if s := cfg.Privacy.settings(all[key]); s.Hides() {
			c := &checker{}
			c.fail("alerts.evidence.directory", "its files hold packets as they are, while %s hides values: leave it out, or allow it with alerts.evidence.despite_privacy: true", key)
			return c.found
		}
	}
	return nil
}

// modes refuses a mode that a kind has not.
func (c *checker) modes(key string, modes PrivacyOverride) {
	for _, x := range kindModes {
		if mode, ok := modes[x.kind]; ok && !slices.Contains(x.modes, privacy.Mode(mode)) {
			c.fail(key+"."+string(x.kind), "%q is no way to show %s, allowed is %s", mode, x.kind, strings.Join(words(x.modes), ", "))
		}
	}
}

// maxKeyFile is how long a file with a key may be.
const maxKeyFile = 4096

// readKey reads a key that no stranger can read.
func readKey(file Path) (privacy.Key, error) {
	info, err := os.Stat(string(file))
	var at *fs.PathError
	switch {
	case errors.As(err, &at):
		return nil, fmt.Errorf("%s: %w", file, at.Err)
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() > maxKeyFile:
		return nil, fmt.Errorf("%s is no file with a key", file)
	case info.Mode().Perm()&0o007 != 0:
		return nil, fmt.Errorf("%s can be read or changed by everybody (%s), want chmod o=", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(string(file))
	if err != nil {
		return nil, err
	}
	k, err := privacy.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s %w", file, err)
	}
	return k, nil
}
