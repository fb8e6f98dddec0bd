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

// addRecords makes the sinks, each with its own kinds of records, and the writer
// that encodes what any of them wants.
func (w wiring) addRecords(o *outputs) error {
	var sinks []recordlog.Sink
	var wanted []RecordKind
	o.sinks.log = w.log
	for _, name := range w.sinkNames() {
		var s recordlog.Sink
		var kinds []RecordKind
		var err error
		switch name {
		case fileSink:
			kinds = w.cfg.Log.Records.Kinds
			o.sinks.file, err = w.openFile()
			s = o.sinks.file
			if w.format == recordlog.FormatZeek {
				o.sinks.frame = recordlog.NewZeekFile(o.sinks.file)
				s = o.sinks.frame
			}
		case lokiSink:
			kinds = w.cfg.Loki.Kinds
			o.sinks.loki, err = w.openLoki()
			s = o.sinks.loki
		case syslogSink:
			kinds = w.cfg.Syslog.Kinds
			o.sinks.syslog, err = w.openSyslog()
			s = o.sinks.syslog
		}
		if err != nil {
			return err
		}
		sinks = append(sinks, recordlog.Only(s, words(kinds)))
		wanted = append(wanted, kinds...)
	}
	if len(sinks) == 0 {
		return nil
	}
	slices.Sort(wanted)
	o.records = recordlog.Options{Sensor: w.cfg.sensor(), Format: w.format, Version: version, Kinds: words(slices.Compact(wanted)), Sinks: sinks}
	var err error
	o.writer, err = recordlog.NewWriter(o.records)
	return err
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
