package main

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/mailtap/mailtap/sessions"
)

var update = flag.Bool("update", false, "renew the expected files under testdata")

// loadFrom loads a file with the variables given, and nothing of this machine's.
func loadFrom(file string, env map[string]string, args ...string) (Config, error) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags.SetNormalizeFunc(flagName)
	addSettingFlags(flags)
	if err := flags.Parse(args); err != nil {
		return Config{}, err
	}
	l := loader{
		file: file, flags: flags,
		getenv: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		names: func() []string {
			var names []string
			for name := range env {
				names = append(names, name)
			}
			return names
		},
	}
	return l.load()
}

func writeTemp(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "mailtap.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPrintedDefaultIsTheDefault(t *testing.T) {
	got, err := loadFrom(writeTemp(t, defaultFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, Default()) {
		t.Errorf("config print gives\n%+v\nthe default is\n%+v", got, Default())
	}
}

func TestPrintedDefaultShowsEveryKey(t *testing.T) {
	key := keyFile(t)
	text := strings.NewReplacer("/etc/mailtap/rules.yaml", "testdata/rules/site.yaml", "/etc/mailtap/privacy.key", key,
		"/etc/mailtap/privacy-2025.key", key, "despite_privacy: false", "despite_privacy: true").Replace(everyKey())
	if _, err := loadFrom(writeTemp(t, text), nil); err != nil {
		t.Fatalf("the examples do not load: %v", err)
	}
	docs := descriptions()
	for _, s := range settings() {
		if docs[s.key()] == "" {
			t.Errorf("%s is missing from default.yaml or has no explanation", s.key())
		}
	}
}

func TestLimitsAreThoseOfSessions(t *testing.T) {
	want, got := reflect.TypeFor[LimitsConfig](), reflect.TypeFor[sessions.Limits]()
	if want.NumField() != got.NumField() {
		t.Errorf("the file knows %d limits, sessions.Limits has %d", want.NumField(), got.NumField())
	}
}

// Each file of testdata/config has one mistake; beside it stands the line
// that mailtap answers with.
func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/config/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no broken files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, err := loadFrom(file, nil)
			if err == nil {
				t.Fatal("loads without an error")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".error", err.Error()+"\n")
			if strings.Contains(err.Error(), "secret-token") {
				t.Error("the error shows a webhook's secret")
			}
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMistakesOfEnvironmentAndFlags(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		args []string
		want string
	}{
		{map[string]string{"MAILTAP_LOG_LEVEL": "loud"}, nil, `environment variable MAILTAP_LOG_LEVEL: log.level: "loud" is no log level, allowed is debug, info, warn, error`},
		{map[string]string{"MAILTAP_SENSER": "a"}, nil, `environment variable MAILTAP_SENSER: is no setting, did you mean MAILTAP_SENSOR?`},
		{map[string]string{"MAILTAP_CAPTURE_PORTS": "{relay: [70000]}"}, nil, `environment variable MAILTAP_CAPTURE_PORTS: capture.ports.relay[0]: "70000" is no TCP port, allowed is 1 to 65535`},
		{map[string]string{"MAILTAP_CAPTURE_PROMISCUOUS": "maybe"}, nil, `environment variable MAILTAP_CAPTURE_PROMISCUOUS: capture.promiscuous: is the text "maybe", true or false is wanted`},
		{nil, []string{"--limits.idle_timeout=5"}, `flag --limits.idle_timeout: limits.idle_timeout: 5 has no unit, write for example 5s, 5m or 5h`},
		{nil, []string{"--home.networks=10.0.0.0/8,10.1"}, `flag --home.networks: home.networks[1]: "10.1" is no network, write for example 192.0.2.0/24, 2001:db8::/32 or a bare address`},
		{nil, []string{"--capture.buffer=128KiB"}, `configuration: capture.block: 1048576 octets are more than half of capture.buffer (131072), allowed is 64KiB to 65536, or a capture.buffer of 2097152 and more`},
		{nil, []string{"--capture.snap_length=10"}, `flag --capture.snap_length: capture.snap_length: 10 octets, allowed is 96 to 262144`},
	} {
		_, err := loadFrom("", c.env, c.args...)
		if err == nil || err.Error() != c.want {
			t.Errorf("%v %v\n got %v\nwant %s", c.env, c.args, err, c.want)
		}
	}
}

// Flag before environment before file before default.
func TestPrecedence(t *testing.T) {
	file := writeTemp(t, "sensor: file\nhome: {networks: [10.1.0.0/16]}\ncapture: {ports: {relay: [2525]}}\nlog: {level: warn}\n")
	env := map[string]string{"MAILTAP_SENSOR": "env", "MAILTAP_HOME_NETWORKS": "10.2.0.0/16, 10.3.0.0/16", "MAILTAP_WEB_LISTEN_ADDRESS": ":1"}
	cfg, err := loadFrom(file, env, "--sensor=flag", "--interface=eth1,eth2")
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Sensor = "flag"
	want.Home.Networks = []Prefix{prefix(t, "10.2.0.0/16"), prefix(t, "10.3.0.0/16")}
	want.Capture.Ports = map[Role][]Port{"relay": {2525}}
	want.Capture.Interfaces = []Interface{"eth1", "eth2"}
	want.Log.Level = "warn"
	want.Web.ListenAddress = ":1"
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got\n%+v\nwant\n%+v", cfg, want)
	}
}

func prefix(t *testing.T, text string) (p Prefix) {
	t.Helper()
	if err := p.UnmarshalText([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStructuredSettingsFromEnvironment(t *testing.T) {
	env := map[string]string{
		"MAILTAP_SERVERS":          "[{name: mx1, addresses: [192.0.2.1]}]",
		"MAILTAP_ALERTS_RECEIVERS": "[{name: screen, stdout: {}}]",
		"MAILTAP_CAPTURE_PORTS":    "{relay: [26], lmtp: [24]}",
	}
	cfg, err := loadFrom(writeTemp(t, "capture: {ports: {submission: [587]}}"), env)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Servers) != 1 || cfg.Servers[0].Addresses[0] != prefix(t, "192.0.2.1/32") {
		t.Errorf("servers %+v", cfg.Servers)
	}
	if len(cfg.Alerts.Receivers) != 1 || cfg.Alerts.Receivers[0].Stdout == nil {
		t.Errorf("receivers %+v", cfg.Alerts.Receivers)
	}
	if want := (map[Role][]Port{"relay": {26}, "lmtp": {24}}); !reflect.DeepEqual(cfg.Capture.Ports, want) {
		t.Errorf("ports %v", cfg.Capture.Ports)
	}
}

// Any bytes for a file give an error or a configuration, never a panic.
func FuzzConfig(f *testing.F) {
	files, _ := filepath.Glob("testdata/config/*.yaml")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		f.Add(text)
	}
	f.Add([]byte(everyKey()))
	f.Add([]byte("a: &a [*a]\nservers: *a"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadFrom(file, nil)
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("an error without words")
		}
	})
}

// One mistake is one line.
func TestSmallBufferIsToldOnce(t *testing.T) {
	cfg := Default()
	cfg.Capture.Buffer = 1
	if found := check(&cfg); len(found) != 1 || found[0].key != "capture.buffer" {
		t.Errorf("%v", found)
	}
}
