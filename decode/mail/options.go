package mail

// Options bounds what a Message or a HeaderReader reads and holds. The zero
// value means the defaults. A limit that was reached shows in the Fields or
// among the Oddities.
type Options struct {
	// MaxHeader is how much of a header section is read, in octets. Default
	// 256 KiB, 1 GiB at most.
	MaxHeader int
	// MaxField is how much of one field's value is kept, in octets. Default 8 KiB.
	MaxField int
	// MaxResults is how many Authentication-Results, how many DKIM-Signature
	// and how many ARC-Seal fields are kept. Default 16 of each.
	MaxResults int
	// MaxHops is how many Received fields are kept, the newest. Default 16.
	MaxHops int
	// MaxAddresses is how many addresses of one field are told. Default 100.
	MaxAddresses int

	// HeadersOnly leaves the parts of messages unread.
	HeadersOnly bool
	// MaxParts is how many parts of a message are read. Default 1000.
	MaxParts int
	// MaxDepth is how many multiparts and forwarded messages may stand in
	// each other. Default 20.
	MaxDepth int
	// MaxForwarded is how many of them may be messages: each is hashed.
	// Default 5.
	MaxForwarded int
	// MaxAttachments is how many of them are told. Default 100.
	MaxAttachments int
	// MaxPartHeader is how much of a part's header is read, in octets. Default 16 KiB.
	MaxPartHeader int
	// MaxName is how long the name of a file may be, in characters. Default 255.
	MaxName int
	// MaxEntries is how many names within one archive are told. Default 100.
	MaxEntries int
	// MaxRecipients is how many recipients of a report are told. Default 100.
	MaxRecipients int
}

func (o *Options) maxHeader() int      { return min(orDefault(o.MaxHeader, 256<<10), maxSection) }
func (o *Options) maxField() int       { return orDefault(o.MaxField, 8<<10) }
func (o *Options) maxResults() int     { return orDefault(o.MaxResults, 16) }
func (o *Options) maxHops() int        { return orDefault(o.MaxHops, 16) }
func (o *Options) maxAddresses() int   { return orDefault(o.MaxAddresses, 100) }
func (o *Options) maxParts() int       { return orDefault(o.MaxParts, 1000) }
func (o *Options) maxDepth() int       { return orDefault(o.MaxDepth, 20) }
func (o *Options) maxForwarded() int   { return orDefault(o.MaxForwarded, 5) }
func (o *Options) maxAttachments() int { return orDefault(o.MaxAttachments, 100) }
func (o *Options) maxPartHeader() int  { return min(orDefault(o.MaxPartHeader, 16<<10), maxSection) }
func (o *Options) maxName() int        { return orDefault(o.MaxName, 255) }
func (o *Options) maxEntries() int     { return orDefault(o.MaxEntries, 100) }
func (o *Options) maxRecipients() int  { return orDefault(o.MaxRecipients, 100) }

func orDefault(n, standard int) int {
	if n > 0 {
		return n
	}
	return standard
}
