//go:build !faults

package main

import (
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/mailtap/mailtap/capture"
	recordlog "github.com/mailtap/mailtap/sessions/log"
)

// faults are what a build with the tag faults can have go wrong. This build has none
// of it.
type faults struct{}

func (faults) flags(*pflag.FlagSet)               {}
func (faults) start()                             {}
func (faults) write() func() error                { return nil }
func (faults) tell(*slog.Logger)                  {}
func (faults) packets(int) (none packetFaults)    { return none }
func (faults) file(f *recordlog.LogFile) logFiles { return f }

type packetFaults struct{}

func (*packetFaults) pass(list []capture.Packet) []capture.Packet { return list }
