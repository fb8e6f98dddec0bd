package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mailtap/mailtap/sandbox"
)

// refuseRoot: what a live capture reads was written by strangers, and root's own
// files are the whole machine, with capabilities or without.
func refuseRoot(c *SandboxConfig) error {
	if !sandbox.Root() || c.AllowRoot || c.User != "" && c.User != "root" && c.User != "0" {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		program = "mailtap"
	}
	return errors.New("run is not for root: give the program what it needs once (sudo setcap cap_net_raw+ep " + program +
		") and start it as another user, name one to become (--sandbox.user mailtap), or insist (--sandbox.allow_root=true)")
}

// reduce gives up what opening the sources does not need, before anything else is
// read.
func (l *liveRun) reduce() error {
	c := &l.cfg.Sandbox
	if !l.program.alone {
		return nil
	}
	user := string(c.User)
	if l.quiet && !sandbox.Root() {
		user = "" // the demo is whoever starts it
	}
	if err := sandbox.Reduce(sandbox.Mode(c.Mode), user); err != nil {
		return err
	}
	if user == "" {
		return nil
	}
	o := l.program.sandboxOptions(l.cfg)
	return failed(o.Reaches())
}

// confine gives up the rest, once the sources are open.
func (l *liveRun) confine() error {
	return l.program.confine(l.program.sandboxOptions(l.cfg), l.log, l.quiet)
}

// confineReading gives up all that reading files does not need.
func (p *program) confineReading(cfg *Config, log *slog.Logger, files []string) error {
	o := p.sandboxOptions(cfg)
	o.Readable = append(o.Readable, files...)
	return p.confine(o, log, true)
}

// confine says once what was given up, and what could not be. quiet is for
// commands whose output is looked at.
func (p *program) confine(o sandbox.Options, log *slog.Logger, quiet bool) error {
	if !p.alone {
		return nil
	}
	var err error
	if p.sandbox, err = sandbox.Enter(o); err != nil {
		return failed(err)
	}
	told, missed := slog.LevelInfo, slog.LevelWarn
	if quiet {
		told, missed = slog.LevelDebug, slog.LevelDebug
	}
	if o.Mode == sandbox.Off {
		log.Log(context.Background(), missed, "no privileges are given up: sandbox.mode is off", "capabilities", p.sandbox.Capabilities)
		return nil
	}
	log.Log(context.Background(), told, "privileges given up", p.sandbox.Attrs()...)
	if p.sandbox.Kept != "" {
		log.Log(context.Background(), told, "the capability stays, but opens no packet or raw socket any more", "reason", p.sandbox.Kept)
	}
	for _, part := range p.sandbox.Missing {
		log.Log(context.Background(), missed, "a part of the sandbox cannot be had, mailtap goes on without it", "part", part)
	}
	return nil
}

// sandboxOptions are the paths that a configuration names: those that are written,
// and all others, which are read.
func (p *program) sandboxOptions(cfg *Config) sandbox.Options {
	o := sandbox.Options{
		Mode: sandbox.Mode(cfg.Sandbox.Mode), Readable: words(cfg.Sandbox.Readable), Writable: words(cfg.Sandbox.Writable),
		Written: []string{string(cfg.Log.Records.File)},
	}
	o.Writable = append(o.Writable, string(cfg.StateDir), string(cfg.Alerts.Evidence.Directory))
	for i := range cfg.Alerts.Receivers {
		r := &cfg.Alerts.Receivers[i]
		if r.File != nil {
			o.Written = append(o.Written, string(r.File.Path))
		}
		if r.Command != nil && len(r.Command.Argv) > 0 {
			if program, err := exec.LookPath(r.Command.Argv[0]); err == nil {
				o.Programs = append(o.Programs, program)
			}
		}
	}
	isEmpty := func(s string) bool { return s == "" }
	o.Written, o.Writable = slices.DeleteFunc(o.Written, isEmpty), slices.DeleteFunc(o.Writable, isEmpty)
	if p.configFile != "" {
		o.Files = append(o.Files, p.configFile)
	}
	for _, file := range pathsOf(reflect.ValueOf(*cfg), nil) {
		if !slices.Contains(slices.Concat(o.Written, o.Readable, o.Writable), file) {
			o.Files = append(o.Files, file)
		}
	}
	for _, name := range words(cfg.Capture.Interfaces) {
		if strings.Contains(name, "/") { // a named pipe
			o.Files = append(o.Files, name)
		}
	}
	o.Files = append(o.Files, webFiles(string(cfg.Web.Config.File))...)
	return o
}

// outside tells which paths of a configuration that is to take the place of the
// running one cannot be opened any more.
func (p *program) outside(cfg *Config) error {
	o := p.sandboxOptions(cfg)
	var errs []error
	check := func(want sandbox.Access, paths []string) {
		for _, path := range paths {
			if _, err := os.Stat(path); err == nil || want != sandbox.Read { // what is not there is told where it is read
				errs = append(errs, p.sandbox.Check(path, want))
			}
		}
	}
	check(sandbox.Read, slices.Concat(o.Files, o.Readable))
	check(sandbox.Write, slices.Concat(o.Written, o.Writable))
	check(sandbox.Execute, o.Programs)
	return errors.Join(errs...)
}

// pathsOf finds every path of a configuration: a key that is added later is not
// forgotten here.
func pathsOf(v reflect.Value, found []string) []string {
	if path, ok := v.Interface().(Path); ok {
		if path != "" {
			found = append(found, string(path))
		}
		return found
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				found = pathsOf(v.Field(i), found)
			}
		}
	case reflect.Pointer:
		if !v.IsNil() {
			found = pathsOf(v.Elem(), found)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = pathsOf(v.Index(i), found)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			found = pathsOf(v.MapIndex(key), found)
		}
	}
	return found
}

// webFiles are the certificates and keys that the listener's file names; it reads
// them anew for connections. What is wrong with the file is told where it is used.
func webFiles(name string) (files []string) {
	text, err := os.ReadFile(name)
	if name == "" || err != nil {
		return nil
	}
	var c struct {
		TLS struct {
			Cert string `yaml:"cert_file"`
			Key  string `yaml:"key_file"`
			CA   string `yaml:"client_ca_file"`
		} `yaml:"tls_server_config"`
	}
	if yaml.Unmarshal(text, &c) != nil {
		return nil
	}
	for _, f := range []string{c.TLS.Cert, c.TLS.Key, c.TLS.CA} {
		if f != "" && !filepath.IsAbs(f) {
			f = filepath.Join(filepath.Dir(name), f)
		}
		if f != "" {
			files = append(files, f)
		}
	}
	return files
}
