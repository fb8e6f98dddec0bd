// Package ruletest reads unit tests of alert rules, as `mailtap rules test`
// runs them, and judges what came of each.
//
// A test file (YAML, docs/rules-testing.md) names traffic, a capture or
// conversations written down, and the alerts that must come of it. The package
// owns the file's form (Load), the traffic of written conversations
// (Test.Segments) and the comparison (Test.Compare). It opens no file, runs no
// engine and reads no clock: cmd does, and so any number of rules and settings
// can be held against one file. What is typed in a conversation may be a
// secret: no error and no result repeats it.
package ruletest
