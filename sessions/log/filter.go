package log

import "slices"

// Only is a sink that hands on the given kinds of records alone.
func Only(s Sink, kinds []string) Sink {
	all := true
	for _, k := range Kinds {
		all = all && slices.Contains(kinds, k)
	}
	if all || len(kinds) == 0 {
		return s
	}
	return only{s, kinds}
}

type only struct {
	sink  Sink
	kinds []string
}

// Write implements Sink.
func (o only) Write(rec Record) {
	if slices.Contains(o.kinds, rec.Event) {
		o.sink.Write(rec)
	}
}
