package main

// Receiver is one place that alerts are sent to: a name, one kind, and which
// alerts it gets.
type Receiver struct {
	Name         Name     `mapstructure:"name"`
	Severity     Severity `mapstructure:"severity"`
	Rules        []Name   `mapstructure:"rules"`
	Except       []Name   `mapstructure:"except"`
	SendResolved *bool    `mapstructure:"send_resolved"`
	PerHour      Count    `mapstructure:"per_hour"`

	Webhook      *Webhook            `mapstructure:"webhook"`
	Alertmanager *AlertmanagerConfig `mapstructure:"alertmanager"`
	Slack        *ChatConfig         `mapstructure:"slack"`
	Teams        *ChatConfig         `mapstructure:"teams"`
	Email        *EmailConfig        `mapstructure:"email"`
	Syslog       *SyslogConfig       `mapstructure:"syslog"`
	File         *FileReceiverConfig `mapstructure:"file"`
	Command      *CommandConfig      `mapstructure:"command"`
	Stdout       *Stdout             `mapstructure:"stdout"`
}

// receiverKind is a kind's key and whether a receiver is of it.
type receiverKind struct {
	name  string
	given bool
}

func (r *Receiver) kinds() []receiverKind {
	return []receiverKind{
		{"webhook", r.Webhook != nil}, {"alertmanager", r.Alertmanager != nil}, {"slack", r.Slack != nil}, {"teams", r.Teams != nil},
		{"email", r.Email != nil}, {"syslog", r.Syslog != nil}, {"file", r.File != nil}, {"command", r.Command != nil}, {"stdout", r.Stdout != nil},
	}
}

// kind is the key of the receiver's kind.
func (r *Receiver) kind() string {
	for _, k := range r.kinds() {
		if k.given {
			return k.name
		}
	}
	return ""
}

// HTTPConfig is what all receivers by HTTP have. Values that are secret can
// stand in files of their own.
type HTTPConfig struct {
	Timeout     Duration              `mapstructure:"timeout"`
	Headers     map[HeaderName]string `mapstructure:"headers"`
	HeaderFiles map[HeaderName]Path   `mapstructure:"header_files"`
	TLS         *ClientTLS            `mapstructure:"tls"`
}

// ClientTLS is how a receiver's certificate is checked, and ours.
type ClientTLS struct {
	CAFile             Path       `mapstructure:"ca_file"`
	CertFile           Path       `mapstructure:"cert_file"`
	KeyFile            Path       `mapstructure:"key_file"`
	ServerName         string     `mapstructure:"server_name"`
	MinVersion         TLSVersion `mapstructure:"min_version"`
	InsecureSkipVerify bool       `mapstructure:"insecure_skip_verify"`
}

// Webhook is an HTTP receiver in Alertmanager's format, version 4, or in that
// of a template. The URL may hold a secret: it can stand in a file of its own.
type Webhook struct {
	URL         URL       `mapstructure:"url"`
	URLFile     Path      `mapstructure:"url_file"`
	SecretFile  Path      `mapstructure:"secret_file"`
	Body        string    `mapstructure:"body"`
	ContentType MediaType `mapstructure:"content_type"`
	HTTPConfig  `mapstructure:",squash"`
}

// AlertmanagerConfig is one Alertmanager or several that share their work.
type AlertmanagerConfig struct {
	URLs       []URL `mapstructure:"urls"`
	URLsFile   Path  `mapstructure:"urls_file"`
	HTTPConfig `mapstructure:",squash"`
}

// ChatConfig is an incoming webhook of Slack or of Teams.
type ChatConfig struct {
	URL        URL    `mapstructure:"url"`
	URLFile    Path   `mapstructure:"url_file"`
	Text       string `mapstructure:"text"`
	HTTPConfig `mapstructure:",squash"`
}

// EmailConfig is e-mail through a server.
type EmailConfig struct {
	Server             HostPort      `mapstructure:"server"`
	From               MailAddress   `mapstructure:"from"`
	To                 []MailAddress `mapstructure:"to"`
	Hello              Name          `mapstructure:"hello"`
	Username           string        `mapstructure:"username"`
	PasswordFile       Path          `mapstructure:"password_file"`
	ImplicitTLS        bool          `mapstructure:"implicit_tls"`
	InsecureWithoutTLS bool          `mapstructure:"insecure_without_tls"`
	TLS                *ClientTLS    `mapstructure:"tls"`
	Timeout            Duration      `mapstructure:"timeout"`
	Text               string        `mapstructure:"text"`
}

// SyslogConfig is a syslog server over TCP or, with tls, over TLS.
type SyslogConfig struct {
	Address  HostPort   `mapstructure:"address"`
	Facility Facility   `mapstructure:"facility"`
	TLS      *ClientTLS `mapstructure:"tls"`
	Timeout  Duration   `mapstructure:"timeout"`
}

// FileReceiverConfig is a file that alerts are appended to.
type FileReceiverConfig struct {
	Path Path `mapstructure:"path"`
}

// CommandConfig is a program that is run for each alert.
type CommandConfig struct {
	Argv    []string `mapstructure:"argv"`
	Timeout Duration `mapstructure:"timeout"`
}

// Stdout prints alerts as lines for people.
type Stdout struct{}
