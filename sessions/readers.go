package sessions

import "github.com/mailtap/mailtap/decode/mail"

// readers are the readers of messages that nobody uses now: a connection has
// one only while it sends a message.
type readers struct {
	options mail.Options
	spare   []*mail.Message
}

// maxReaders is how many are kept.
const maxReaders = 64

func newReaders(o *Options) readers {
	lim := &o.Limits
	return readers{options: mail.Options{
		MaxHeader: lim.Header, MaxParts: lim.Parts, MaxDepth: lim.Depth, MaxAttachments: lim.Attachments,
		MaxName: lim.FileName, MaxEntries: lim.ArchiveNames, HeadersOnly: o.HeadersOnly,
	}}
}

func (r *readers) take() *mail.Message {
	n := len(r.spare)
	if n == 0 {
		return &mail.Message{Options: r.options}
	}
	m := r.spare[n-1]
	r.spare = r.spare[:n-1]
	return m
}

func (r *readers) put(m *mail.Message) {
	if m != nil && len(r.spare) < maxReaders {
		m.Reset()
		r.spare = append(r.spare, m)
	}
}
