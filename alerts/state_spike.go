package alerts

// spikeKeeper keeps what a spike has learned and counts.
type spikeKeeper struct{ *spikes }

func (k spikeKeeper) save(dst []byte) []byte   { return k.AppendTo(dst) }
func (k spikeKeeper) restore(src []byte) error { return k.Restore(src) }
