package main

// SandboxConfig says what the process gives up, and what it keeps all the same.
type SandboxConfig struct {
	Mode      SandboxMode `mapstructure:"mode"`
	AllowRoot bool        `mapstructure:"allow_root"`
	User      Name        `mapstructure:"user"`
	Readable  []Path      `mapstructure:"readable"`
	Writable  []Path      `mapstructure:"writable"`
}

// SandboxMode says how much of the sandbox must be had.
type SandboxMode string

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *SandboxMode) UnmarshalText(b []byte) error {
	return oneOf(m, b, "mode of the sandbox", "auto", "required", "off")
}
