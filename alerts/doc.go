// Package alerts judges the events of sessions by rules.
//
// It owns two things. The rule language: a YAML file whose conditions are
// expr-lang expressions, typed when the file is loaded; the built-in rules
// (builtin.yaml) are written in it like a site's own. The engine: windows,
// groups and the life of an alert, all on packet time. Package baseline learns
// what is ordinary for a group, package notify brings alerts to people, package
// receivers writes their forms.
//
// cmd loads the rules, gives the engine every event of the tracker
// (Engine.Handle), the passing of time (Engine.Advance) and what a live capture
// lost (Engine.Capture), and connects the engine's Sink to a notify.Notifier and to the
// log. The engine reads no clock, starts
// no goroutine and does no I/O: the same events give the same alerts in the
// same order. The package never sees a secret: events carry none.
//
// Most events meet nothing new, so they must cost little. Conditions are Go
// functions that read straight from the event (native.go, fields.go); what they
// cannot say is left to expr's machine. A group is a slot and a few words in
// pages (slots.go, slab.go). Engine.Wants tells, from any goroutine, which events
// no rule can care about.
//
// An alert may wait first (pending.go), be kept from receivers by another rule's
// (inhibit.go), or be one of so many that a storm stands for them (storm.go).
// Engine.Save and Engine.Restore bring all of it over a restart, Engine.Adopt what
// receivers still believe (state.go, state_rule.go, state_firing.go, adopt.go).
//
// To add a rule, add an entry to builtin.yaml, a case to the table in
// builtin_test.go, and a page to docs/runbooks. To add a field to the language, add it to facts.go, fill
// it in fill.go and read it in fields.go.
package alerts
