package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// Names of the sinks, as metrics have them.
const (
	fileSink   = "file"
	lokiSink   = "loki"
	syslogSink = "syslog"
)

// sinkNames lists the sinks that are configured.
func (w wiring) sinkNames() (names []string) {
	if w.records != nil || w.cfg.Log.Records.File != "" {
		names = append(names, fileSink)
	}
	if w.cfg.Loki.URL != "" {
		names = append(names, lokiSink)
	}
	if w.cfg.Syslog.URL != "" {
		names = append(names, syslogSink)
	}
	return names
}

// addRecords makes the sinks, each with its own kinds of records, and for those that
// hide the same a writer that encodes what any of them wants.
func (w wiring) addRecords(o *outputs) error {
	o.sinks.log = w.log
	for _, name := range w.sinkNames() {
		var s recordlog.Sink
		var err error
		switch name {
		case fileSink:
			o.sinks.file, err = w.openFile()
			s = o.sinks.file
			if w.format == recordlog.FormatZeek {
				o.sinks.frame = recordlog.NewZeekFile(o.sinks.file)
				s = o.sinks.frame
			}
		case lokiSink:
			o.sinks.loki, err = w.openLoki()
			s = o.sinks.loki
		case syslogSink:
			o.sinks.syslog, err = w.openSyslog()
			s = o.sinks.syslog
		}
		if err != nil {
			return err
		}
		o.writers = w.addSink(o.writers, name, s)
	}
	return openWriters(o.writers)
}

// addSink has a sink written by the writer of those that hide the same.
func (w wiring) addSink(writers []recordWriter, name string, s recordlog.Sink) []recordWriter {
	hides, kinds := w.cfg.Privacy.settings(w.privacyOf(name)), words(w.kindsOf(name))
	i := slices.IndexFunc(writers, func(x recordWriter) bool { return x.settings == hides })
	if i < 0 {
		i = len(writers)
		writers = append(writers, recordWriter{
			options:  recordlog.Options{Sensor: w.cfg.sensor(), Format: w.format, Version: version},
			settings: hides, mask: w.keys.mask(hides), keys: w.keys,
		})
	}
	x := &writers[i]
	x.options.Sinks = append(x.options.Sinks, recordlog.Only(s, kinds))
	x.options.Kinds = append(x.options.Kinds, kinds...)
	return writers
}

func openWriters(writers []recordWriter) (err error) {
	for i := range writers {
		x := &writers[i]
		slices.Sort(x.options.Kinds)
		x.options.Kinds = slices.Compact(x.options.Kinds)
		if x.Writer, err = recordlog.NewWriter(x.options); err != nil {
			return err
		}
	}
	return nil
}

func (w wiring) kindsOf(name string) []RecordKind {
	switch name {
	case fileSink:
		return w.cfg.Log.Records.Kinds
	case lokiSink:
		return w.cfg.Loki.Kinds
	}
	return w.cfg.Syslog.Kinds
}

func (w wiring) privacyOf(name string) PrivacyOverride {
	switch name {
	case fileSink:
		return w.cfg.Log.Records.Privacy
	case lokiSink:
		return w.cfg.Loki.Privacy
	}
	return w.cfg.Syslog.Privacy
}

// logFiles is a file of records.
type logFiles interface {
	io.Writer
	Tend() error
	Reopen() error
	Close() error
}

// openFile: offline the reader waits for the disk, and what it writes is one
// file; live nothing waits.
func (w wiring) openFile() (*recordlog.File, error) {
	c := &w.cfg.Log.Records
	var options recordlog.FileOptions
	var rotate recordlog.RotateOptions
	if !w.offline {
		options.Queue = int(c.QueueSize)
		rotate = recordlog.RotateOptions{
			Size: int64(c.RotateSize), Every: time.Duration(c.RotateEvery),
			MaxFiles: int(c.MaxFiles), MaxAge: time.Duration(c.MaxAge), Compress: c.Compress,
		}
	}
	if c.File == "" {
		return recordlog.NewFile(w.records, options), nil
	}
	f, err := recordlog.OpenLogFile(string(c.File), rotate)
	if err != nil {
		return nil, failed(fmt.Errorf("log.records.file: %w", err))
	}
	if w.faults == nil {
		return recordlog.NewFile(f, options), nil
	}
	return recordlog.NewFile(w.faults.file(f), options), nil
}

// openLoki: offline, reading waits for Loki for a bounded time; live, nothing
// waits.
func (w wiring) openLoki() (*recordlog.Loki, error) {
	c := &w.cfg.Loki
	o := recordlog.LokiOptions{
		URL: string(c.URL), TenantID: c.Tenant, Sensor: w.cfg.sensor(),
		Username: c.Username, PasswordFile: string(c.PasswordFile), BearerTokenFile: string(c.BearerTokenFile), CAFile: string(c.CAFile),
		MaxRecords: int(c.QueueRecords), MaxBytes: int(c.QueueSize), NoMetadata: !c.StructuredMetadata,
		BatchWait: time.Duration(c.BatchWait), BatchBytes: int(c.BatchSize), Timeout: time.Duration(c.Timeout), Block: w.offline,
	}
	switch {
	case !w.durable:
	case w.cfg.StateDir == "":
		w.log.Info("records that Loki does not take wait in memory, and are dropped when that is full or mailtap ends; set state_dir to keep them")
	default:
		if w.faults != nil {
			o.Fault = w.faults.write()
		}
		o.SpoolDir, o.SpoolSize = filepath.Join(string(w.cfg.StateDir), "loki-spool"), int64(c.SpoolSize)
		o.SpoolAge = time.Duration(c.SpoolAge)
	}
	return recordlog.NewLoki(o)
}

func (w wiring) openSyslog() (*recordlog.Syslog, error) {
	c := &w.cfg.Syslog
	network, address, _ := strings.Cut(string(c.URL), "://")
	o := recordlog.SyslogOptions{
		Network: network, Address: address, Facility: string(c.Facility), PID: os.Getpid(),
		MaxMessage: int(c.MessageSize), MaxRecords: int(c.QueueRecords), MaxBytes: int(c.QueueSize),
		Timeout: time.Duration(c.Timeout), Block: w.offline,
	}
	o.Hostname, _ = os.Hostname()
	if network == "tls" {
		var err error
		m := receiverMaker{w.cfg.sensor(), w.log, w.lines}
		if o.TLS, err = m.tls(syslogSink, &ClientTLS{CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile}); err != nil {
			return nil, fmt.Errorf("syslog: %w", err)
		}
	}
	return recordlog.NewSyslog(o)
}
