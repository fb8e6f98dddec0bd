package log

// Add adds what became of another sink's records.
func (c *Counts) Add(o Counts) {
	c.Written += o.Written
	c.Dropped += o.Dropped
	c.Retried += o.Retried
	c.Unsure += o.Unsure
	c.Waiting += o.Waiting
	for i, n := range o.Reasons {
		c.Reasons[i] += n
	}
}
