package main

import (
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/capture/packet"
	"github.com/mailtap/mailtap/sessions"
)

// Config is everything that a site can set. A key of the file is the path of
// mapstructure names; the same path is a flag (dots) and an environment
// variable (MAILTAP_ and underscores). Defaults are Default's value.
type Config struct {
	Sensor   string        `mapstructure:"sensor"`
	Home     HomeConfig    `mapstructure:"home"`
	Servers  []Server      `mapstructure:"servers"`
	Capture  CaptureConfig `mapstructure:"capture"`
	Limits   LimitsConfig  `mapstructure:"limits"`
	Web      WebConfig     `mapstructure:"web"`
	Log      LogConfig     `mapstructure:"log"`
	Loki     LokiConfig    `mapstructure:"loki"`
	Syslog   SyslogRecords `mapstructure:"syslog"`
	Metrics  MetricsConfig `mapstructure:"metrics"`
	Privacy  PrivacyConfig `mapstructure:"privacy"`
	Alerts   AlertsConfig  `mapstructure:"alerts"`
	StateDir Path          `mapstructure:"state_dir"`
	TLS      TLSConfig     `mapstructure:"tls"`
	MIME     MIMEConfig    `mapstructure:"mime"`
	Shards   Shards        `mapstructure:"shards"`
	Memory   Size          `mapstructure:"memory"`
	Sandbox  SandboxConfig `mapstructure:"sandbox"`
	// StopTimeout bounds the end, first of the packets, then of the outputs: what receivers
	// and Loki did not take by then is given up.
	StopTimeout Duration `mapstructure:"stop_timeout"`
}

// HomeConfig says what is ours: directions, relays and spoofing are judged by it.
type HomeConfig struct {
	Networks          []Prefix  `mapstructure:"networks"`
	Domains           []Domain  `mapstructure:"domains"`
	MailServers       []Prefix  `mapstructure:"mail_servers"`
	Scanners          []Prefix  `mapstructure:"scanners"`
	MonitoredAccounts []Account `mapstructure:"monitored_accounts"`
}

// Server names the addresses of one mail server.
type Server struct {
	Name      Name     `mapstructure:"name"`
	Addresses []Prefix `mapstructure:"addresses"`
}

// CaptureConfig says where packets come from and which ports carry mail.
type CaptureConfig struct {
	Interfaces  []Interface     `mapstructure:"interfaces"`
	Method      Method          `mapstructure:"method"`
	Ports       map[Role][]Port `mapstructure:"ports"`
	AllPorts    bool            `mapstructure:"all_ports"`
	Tunnels     bool            `mapstructure:"tunnels"`
	Buffer      Size            `mapstructure:"buffer"`
	Block       Size            `mapstructure:"block"`
	Backlog     Percent         `mapstructure:"backlog"`
	SnapLength  Size            `mapstructure:"snap_length"`
	Promiscuous bool            `mapstructure:"promiscuous"`
	// DuplicateWindow is of packet time.
	DuplicateWindow Duration `mapstructure:"duplicate_window"`
}

// LimitsConfig is sessions.Limits in the file's terms.
type LimitsConfig struct {
	Connections   Count    `mapstructure:"connections"`
	OutOfOrder    Size     `mapstructure:"out_of_order"`
	HeldTotal     Size     `mapstructure:"held_total"`
	HeldSegments  Count    `mapstructure:"held_segments"`
	Waiting       Size     `mapstructure:"waiting"`
	Pending       Count    `mapstructure:"pending"`
	Mails         Count    `mapstructure:"mails"`
	MailsSize     Size     `mapstructure:"mails_size"`
	Recipients    Count    `mapstructure:"recipients"`
	Extensions    Count    `mapstructure:"extensions"`
	Auths         Count    `mapstructure:"auths"`
	Exchange      Count    `mapstructure:"exchange"`
	Line          Size     `mapstructure:"line"`
	Reply         Size     `mapstructure:"reply"`
	TLSWaiting    Size     `mapstructure:"tls_waiting"`
	Parts         Count    `mapstructure:"parts"`
	Depth         Count    `mapstructure:"depth"`
	Attachments   Count    `mapstructure:"attachments"`
	FileName      Count    `mapstructure:"file_name"`
	ArchiveNames  Count    `mapstructure:"archive_names"`
	Header        Size     `mapstructure:"header"`
	IdleTimeout   Duration `mapstructure:"idle_timeout"`
	SynTimeout    Duration `mapstructure:"syn_timeout"`
	LingerTimeout Duration `mapstructure:"linger_timeout"`
}

// FileConfig names one file.
type FileConfig struct {
	File Path `mapstructure:"file"`
}

// LogConfig is the program's own log and the record log.
type LogConfig struct {
	Level   LogLevel      `mapstructure:"level"`
	Format  LogFormat     `mapstructure:"format"`
	Records RecordsConfig `mapstructure:"records"`
}

// RecordsConfig says where records go and which kinds, and when run begins a
// new file.
type RecordsConfig struct {
	File        Path            `mapstructure:"file"`
	Kinds       []RecordKind    `mapstructure:"kinds"`
	RotateSize  Size            `mapstructure:"rotate_size"`
	RotateEvery Duration        `mapstructure:"rotate_every"`
	MaxFiles    Count           `mapstructure:"max_files"`
	MaxAge      Duration        `mapstructure:"max_age"`
	Compress    bool            `mapstructure:"compress"`
	QueueSize   Size            `mapstructure:"queue_size"`
	Privacy     PrivacyOverride `mapstructure:"privacy"`
}

// LokiConfig is where records are pushed to; off without a URL.
type LokiConfig struct {
	URL                URL             `mapstructure:"url"`
	Kinds              []RecordKind    `mapstructure:"kinds"`
	Tenant             string          `mapstructure:"tenant"`
	Username           string          `mapstructure:"username"`
	PasswordFile       Path            `mapstructure:"password_file"`
	BearerTokenFile    Path            `mapstructure:"bearer_token_file"`
	CAFile             Path            `mapstructure:"ca_file"`
	StructuredMetadata bool            `mapstructure:"structured_metadata"`
	BatchSize          Size            `mapstructure:"batch_size"`
	BatchWait          Duration        `mapstructure:"batch_wait"`
	Timeout            Duration        `mapstructure:"timeout"`
	QueueRecords       Count           `mapstructure:"queue_records"`
	QueueSize          Size            `mapstructure:"queue_size"`
	SpoolSize          Size            `mapstructure:"spool_size"`
	SpoolAge           Duration        `mapstructure:"spool_age"`
	Privacy            PrivacyOverride `mapstructure:"privacy"`
}

// SyslogRecords is a syslog server that gets the records; off without a URL.
type SyslogRecords struct {
	URL          SyslogURL       `mapstructure:"url"`
	Kinds        []RecordKind    `mapstructure:"kinds"`
	Facility     Facility        `mapstructure:"facility"`
	CAFile       Path            `mapstructure:"ca_file"`
	CertFile     Path            `mapstructure:"cert_file"`
	KeyFile      Path            `mapstructure:"key_file"`
	MessageSize  Size            `mapstructure:"message_size"`
	Timeout      Duration        `mapstructure:"timeout"`
	QueueRecords Count           `mapstructure:"queue_records"`
	QueueSize    Size            `mapstructure:"queue_size"`
	Privacy      PrivacyOverride `mapstructure:"privacy"`
}

// AlertsConfig is which rules run and who hears of them.
type AlertsConfig struct {
	Receivers []Receiver      `mapstructure:"receivers"`
	Privacy   PrivacyOverride `mapstructure:"privacy"`
	OutboxAge Duration        `mapstructure:"outbox_age"`
	Rules     RulesConfig     `mapstructure:"rules"`
	Evidence  EvidenceConfig  `mapstructure:"evidence"`
}

// EvidenceConfig is what is kept of the packets of the sessions that alerts
// name; nothing without a directory.
type EvidenceConfig struct {
	Directory      Path     `mapstructure:"directory"`
	Memory         Size     `mapstructure:"memory"`
	SessionPackets Count    `mapstructure:"session_packets"`
	SessionSize    Size     `mapstructure:"session_size"`
	MaxFiles       Count    `mapstructure:"max_files"`
	MaxSize        Size     `mapstructure:"max_size"`
	Severity       Severity `mapstructure:"severity"`
	KeepSecrets    bool     `mapstructure:"keep_secrets"`
	MaxAge         Duration `mapstructure:"max_age"`
	DespitePrivacy bool     `mapstructure:"despite_privacy"`
}

// RulesConfig adds rule files and changes rules by name.
type RulesConfig struct {
	Files    []Path     `mapstructure:"files"`
	Override []Override `mapstructure:"override"`
}

// Override changes one rule, in the terms of the rule files.
type Override struct {
	Name           Name      `mapstructure:"name" yaml:"name"`
	Disabled       *bool     `mapstructure:"disabled" yaml:"disabled,omitempty"`
	Severity       Severity  `mapstructure:"severity" yaml:"severity,omitempty"`
	RepeatInterval *Duration `mapstructure:"repeat_interval" yaml:"repeat_interval,omitempty"`
	Window         *Duration `mapstructure:"window" yaml:"window,omitempty"`
	Threshold      *Count    `mapstructure:"threshold" yaml:"threshold,omitempty"`
	For            *Duration `mapstructure:"for" yaml:"for,omitempty"`
	Storm          *Count    `mapstructure:"storm" yaml:"storm,omitempty"`
	Floor          *float64  `mapstructure:"floor" yaml:"floor,omitempty"`
	Limit          *float64  `mapstructure:"limit" yaml:"limit,omitempty"`
}

// TLSConfig is what is known of TLS sessions.
type TLSConfig struct {
	Keylog Path `mapstructure:"keylog"`
}

// MIMEConfig says how far messages are read.
type MIMEConfig struct {
	Attachments bool `mapstructure:"attachments"`
}

// Default returns the configuration of a site that sets nothing.
func Default() Config {
	return Config{
		Capture: CaptureConfig{
			Method: "auto", Ports: defaultPorts(), Tunnels: true, Buffer: 64 << 20, Block: 1 << 20, Backlog: 50, SnapLength: 262144, Promiscuous: true,
			DuplicateWindow: Duration(packet.DefaultCopyWindow),
		},
		Limits: defaultLimits(),
		MIME:   MIMEConfig{Attachments: true},
		Web:    defaultWeb(),
		Log: LogConfig{Level: "info", Format: "logfmt", Records: RecordsConfig{
			Kinds: everyKind(), MaxFiles: 10, Compress: true, QueueSize: 16 << 20,
		}},
		Loki: LokiConfig{
			Kinds: everyKind(), StructuredMetadata: true,
			BatchSize: 1 << 20, BatchWait: Duration(time.Second), Timeout: Duration(10 * time.Second),
			QueueRecords: 10_000, QueueSize: 16 << 20, SpoolSize: 256 << 20, SpoolAge: Duration(7 * 24 * time.Hour),
		},
		Syslog: SyslogRecords{
			Kinds: everyKind(), Facility: "local0", MessageSize: 64 << 10, Timeout: Duration(10 * time.Second),
			QueueRecords: 10_000, QueueSize: 16 << 20,
		},
		Metrics: defaultMetrics(),
		Privacy: defaultPrivacy(),
		Alerts: AlertsConfig{OutboxAge: Duration(30 * 24 * time.Hour), Evidence: EvidenceConfig{
			Memory: 64 << 20, SessionPackets: 2000, SessionSize: 512 << 10, MaxFiles: 1000, MaxSize: 1 << 30, Severity: alerts.Info,
		}},
		Memory:      512 << 20,
		Sandbox:     SandboxConfig{Mode: "auto"},
		StopTimeout: Duration(5 * time.Second),
	}
}

func everyKind() []RecordKind { return []RecordKind{"session", "mail", "auth", "alert"} }

// defaultLimits are those of sessions.
func defaultLimits() LimitsConfig {
	l := sessions.DefaultLimits()
	return LimitsConfig{
		Connections: Count(l.Connections), OutOfOrder: Size(l.OutOfOrder), HeldTotal: Size(l.HeldTotal), HeldSegments: Count(l.HeldSegments),
		Waiting: Size(l.Waiting), Pending: Count(l.Pending), Mails: Count(l.Mails), MailsSize: Size(l.MailsSize), Recipients: Count(l.Recipients),
		Extensions: Count(l.Extensions), Auths: Count(l.Auths), Exchange: Count(l.Exchange), Line: Size(l.Line), Reply: Size(l.Reply), Header: Size(l.Header),
		TLSWaiting: Size(l.TLSWaiting), Parts: Count(l.Parts), Depth: Count(l.Depth), Attachments: Count(l.Attachments), FileName: Count(l.FileName), ArchiveNames: Count(l.ArchiveNames),
		IdleTimeout: Duration(l.IdleTimeout), SynTimeout: Duration(l.SynTimeout), LingerTimeout: Duration(l.LingerTimeout),
	}
}

func defaultPorts() map[Role][]Port {
	ports := make(map[Role][]Port)
	for _, p := range sessions.DefaultPorts() {
		ports[Role(p.Role)] = append(ports[Role(p.Role)], Port(p.Port))
	}
	return ports
}
