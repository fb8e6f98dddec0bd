package mail

// Oddities name what a message does that decent mail does not, or which limit
// it reached. Mail readers differ in how they read such messages; that is
// what they are made for.
const (
	OddHeaderLimit         = "header_limit"              // MaxHeader, MaxField or MaxResults
	OddDuplicateHeader     = "duplicate_header"          // a field that must be unique came more often (RFC 5322, 3.6)
	OddPartHeaderLimit     = "mime_header_limit"         // MaxPartHeader or MaxField, in a part
	OddDepthLimit          = "mime_depth_limit"          // MaxDepth or MaxForwarded
	OddPartsLimit          = "mime_parts_limit"          // MaxParts
	OddAttachmentsLimit    = "mime_attachments_limit"    // MaxAttachments
	OddNameLimit           = "mime_name_limit"           // MaxName
	OddNameControls        = "mime_name_controls"        // a file name with characters that it cannot show, or one that turns its direction
	OddEntriesLimit        = "mime_entries_limit"        // MaxEntries
	OddRecipientsLimit     = "mime_recipients_limit"     // MaxRecipients
	OddDuplicateField      = "mime_duplicate_field"      // two Content-Type or the like in one header
	OddDuplicateParameter  = "mime_duplicate_parameter"  // one with two values
	OddConflictingBoundary = "mime_conflicting_boundary" // two boundaries for one multipart, or one for two
	OddMissingBoundary     = "mime_missing_boundary"     // a multipart that cannot be cut, or one of over 998 octets
	OddUnclosed            = "mime_unclosed"             // a multipart without its last delimiter
	OddBadEncoding         = "mime_bad_encoding"         // octets that the encoding does not have
	OddUnknownEncoding     = "mime_unknown_encoding"     // Content-Transfer-Encoding that is not known: octets as they are
)

// oddity is a bit for each, in the order of oddityNames.
type oddity uint32

const (
	headerLimit oddity = 1 << iota
	duplicateHeader
	partHeaderLimit
	depthLimit
	partsLimit
	attachmentsLimit
	nameLimit
	nameControls
	entriesLimit
	recipientsLimit
	duplicateField
	duplicateParameter
	conflictingBoundary
	missingBoundary
	unclosed
	badEncoding
	unknownEncoding
)

// oddityNames is sorted.
var oddityNames = [...]struct {
	name string
	bit  oddity
}{
	{OddDuplicateHeader, duplicateHeader},
	{OddHeaderLimit, headerLimit},
	{OddAttachmentsLimit, attachmentsLimit},
	{OddBadEncoding, badEncoding},
	{OddConflictingBoundary, conflictingBoundary},
	{OddDepthLimit, depthLimit},
	{OddDuplicateField, duplicateField},
	{OddDuplicateParameter, duplicateParameter},
	{OddEntriesLimit, entriesLimit},
	{OddPartHeaderLimit, partHeaderLimit},
	{OddMissingBoundary, missingBoundary},
	{OddNameControls, nameControls},
	{OddNameLimit, nameLimit},
	{OddPartsLimit, partsLimit},
	{OddRecipientsLimit, recipientsLimit},
	{OddUnclosed, unclosed},
	{OddUnknownEncoding, unknownEncoding},
}

func (o oddity) names() []string {
	var list []string
	for _, n := range oddityNames {
		if o&n.bit != 0 {
			list = append(list, n.name)
		}
	}
	return list
}
