package metrics

// Stores are what mailtap keeps on a disk, as the label store names it.
const (
	StoreRecords   = "records"
	StoreSpool     = "loki_spool"
	StoreOutbox    = "outbox"
	StoreEvidence  = "evidence"
	StoreAlerts    = "alerts_state"
	StoreDeferrals = "deferrals_state"
)

// defineSurvival is of what goes wrong around mailtap: disks, interfaces, clocks.
func (m *Metrics) defineSurvival() {
	m.store = newSet("store", StoreRecords, StoreSpool, StoreOutbox, StoreEvidence, StoreAlerts, StoreDeferrals)
	m.clock = newSet("clock", "wall", "packet")
	m.evidenceResult = newSet("result", "written", "failed", "left_out", "removed")
	m.storageErrors = m.counter("storage_errors_total", "Writes to a disk that failed.", m.store)
	m.storageFailing = m.gauge("storage_failing", "1 while writes to a disk fail, else 0.", m.store)
	m.storageDamaged = m.counter("storage_damaged_total", "Files that could not be read at a start, or later, and were set aside.", m.store)
	m.evidenceFiles = m.totals("counter", "evidence_files_total", "Files of evidence, by what became of them.", m.evidenceResult)
	m.sourceUp = m.gauge("capture_up", "1 while packets can come from a source, 0 while it is down or gone.", m.source)
	m.clockSteps = m.counter("clock_steps_total", "Times that a clock was set: this machine's, or that of a source's packets.", m.clock)
	for i := range m.store.seeded {
		m.storageFailing.at(i).Set(0)
	}
	for i := range m.source.seeded {
		m.sourceUp.at(i).Set(1)
	}
}

// StorageErrors counts writes that failed.
func (m *Metrics) StorageErrors(store string, writes int) {
	m.storageErrors.at(m.store.of(store)).Add(float64(max(0, writes)))
}

// StorageFailing says whether writes fail now.
func (m *Metrics) StorageFailing(store string, failing bool) {
	m.storageFailing.at(m.store.of(store)).Set(oneIf(failing))
}

// StorageDamaged counts files that were set aside.
func (m *Metrics) StorageDamaged(store string, files int) {
	m.storageDamaged.at(m.store.of(store)).Add(float64(max(0, files)))
}

// EvidenceCounts say what became of files of evidence since the start.
type EvidenceCounts struct{ Written, Failed, LeftOut, Removed uint64 }

// Evidence publishes them.
func (m *Metrics) Evidence(c EvidenceCounts) {
	for i, n := range []uint64{c.Written, c.Failed, c.LeftOut, c.Removed} {
		m.evidenceFiles.at(i).Store(n)
	}
}

// CaptureUp says whether packets can come from a source.
func (m *Metrics) CaptureUp(source string, up bool) {
	m.sourceUp.at(m.source.of(source)).Set(oneIf(up))
}

// ClockStep counts a clock that was set: wall or packet.
func (m *Metrics) ClockStep(clock string) { m.clockSteps.at(m.clock.of(clock)).Inc() }

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
