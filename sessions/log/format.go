package log

import "github.com/mailtap/mailtap/sessions"

// The forms that records are written in. docs/formats.md says which field
// becomes which.
const (
	FormatJSON = "json" // mailtap's own, docs/records.md
	FormatZeek = "zeek" // smtp.log as Zeek writes it
	FormatEVE  = "eve"  // Suricata's EVE: smtp and tls
	FormatECS  = "ecs"  // Elastic Common Schema
	FormatOCSF = "ocsf" // Open Cybersecurity Schema Framework
)

// Formats lists every form.
var Formats = [...]string{FormatJSON, FormatZeek, FormatEVE, FormatECS, FormatOCSF}

// form writes records as another product's pipelines want them. It appends
// nothing for what the form has no record of.
type form interface {
	event(b []byte, e sessions.Event) []byte
	alert(b []byte, a *AlertRecord) []byte
}

// formOf is nil for mailtap's own form, which the Writer writes itself.
func formOf(name, sensor, version string) (f form, ok bool) {
	switch name {
	case "", FormatJSON:
		return nil, true
	case FormatZeek:
		return zeek{}, true
	case FormatEVE:
		return eve{sensor}, true
	case FormatECS:
		return ecs{sensor, version}, true
	case FormatOCSF:
		return ocsf{sensor, version}, true
	}
	return nil, false
}

// seal ends the object or list that began at start, with its key, over its last
// comma, and takes it back where nothing is in it.
func seal(b []byte, start int, bracket byte) []byte {
	if last := b[len(b)-1]; last == '{' || last == '[' {
		return b[:start]
	}
	return append(end(b, bracket), ',')
}

// list writes the texts that each gives, and nothing where there is none.
func list(b []byte, key string, all ...[]string) []byte {
	n := len(b)
	b = open(b, key)
	b = append(b, '[')
	for _, texts := range all {
		for _, s := range texts {
			if s != "" {
				b = append(appendString(b, s), ',')
			}
		}
	}
	return seal(b, n, ']')
}
