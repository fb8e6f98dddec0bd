package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mailtap/mailtap/alerts/evidence"
	"github.com/mailtap/mailtap/metrics"
)

// addEvidence looks at the directory before anything is captured.
func (w wiring) addEvidence(o *outputs) error {
	e := &w.cfg.Alerts.Evidence
	if e.Directory == "" {
		return nil
	}
	wrote := func(err error) {
		o.disk.wrote(metrics.StoreEvidence, "evidence of alerts is not written; the next is tried", "evidence of alerts is written again", err)
	}
	var err error
	o.evidence, err = evidence.Open(evidence.Options{
		Directory: string(e.Directory), Memory: int(e.Memory), Packets: int(e.SessionPackets), Octets: int(e.SessionSize),
		MaxFiles: int(e.MaxFiles), MaxOctets: int64(e.MaxSize), MaxAge: time.Duration(e.MaxAge), Severity: string(e.Severity), KeepSecrets: e.KeepSecrets,
		Fault: o.disk.fault, Wait: w.offline, Program: "mailtap " + version,
		Wrote: wrote,
		Failed: func(err error) {
			if errors.Is(err, evidence.ErrBusy) { // Wrote is told all else
				wrote(err)
			}
		},
	})
	if err != nil {
		return failed(fmt.Errorf("alerts.evidence.directory: %w", err))
	}
	o.disk.probe(metrics.StoreEvidence, o.evidence.Probe)
	if info, err := os.Stat(string(e.Directory)); err == nil && info.Mode().Perm()&0o077 != 0 {
		w.log.Warn("others may look into the directory of evidence, which holds mail", "directory", string(e.Directory), "mode", info.Mode().Perm().String())
	}
	return nil
}

// publishEvidence tells metrics what became of files.
func (o *outputs) publishEvidence() {
	if o.evidence == nil || o.metrics == nil {
		return
	}
	c := o.evidence.Counts()
	o.metrics.Evidence(metrics.EvidenceCounts{Written: c.Written, Failed: c.Failed, LeftOut: c.LeftOut, Removed: c.Removed})
}

// leastTime is what the disk gets at the end beside receivers that are away.
const leastTime = 5 * time.Second

// closeEvidence writes what waits, and says what came of it all.
func (o *outputs) closeEvidence(ctx context.Context) error {
	if o.evidence == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(time.Duration(o.stopTimeout.Load()), leastTime))
	defer cancel()
	err := o.evidence.Close(ctx)
	if c := o.evidence.Counts(); c != (evidence.Counts{}) {
		o.log.Info("evidence", "written", c.Written, "failed", c.Failed, "left_out", c.LeftOut, "removed", c.Removed)
	}
	return err
}
