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
	OddConflictingName     = "mime_conflicting_name"     // two names for one part, with other extensions
	OddBadHeader           = "mime_bad_header"           // a header that a line ends which is no field
	OddBadArchive          = "mime_bad_archive"          // a ZIP archive without its directory, or with an entry longer than itself
	OddHeaderControls      = "header_controls"           // NUL or a bare CR in a field
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
	conflictingName
	badHeader
	badArchive
	headerControls
)

// hiding are those by which filters and mail readers come to see other parts:
// what research of MIME parsers found (S. Ullrich, "MIME Sanity", noxxi.de,
// 2014 to 2018; Chen et al., "Inbox Invasion", CCS 2024). Left out are limits
// that large mails reach, names with odd characters (see Danger), and what is
// wrong with much ordinary mail: no MIME-Version, no delimiter at all, bare
// LF.
const hiding = duplicateHeader | duplicateField | duplicateParameter | // the first counts, or the last
	conflictingBoundary | missingBoundary | unclosed | // where a part ends
	badEncoding | unknownEncoding | // what its octets are: junk is passed over, or ends it
	headerControls | badHeader | // what its header says
	conflictingName | badArchive | // what the file is
	depthLimit | partsLimit // who stops looking first

// oddityNames is sorted.
var oddityNames = [...]struct {
	name string
	bit  oddity
}{
	{OddDuplicateHeader, duplicateHeader},
	{OddHeaderControls, headerControls},
	{OddHeaderLimit, headerLimit},
	{OddAttachmentsLimit, attachmentsLimit},
	{OddBadArchive, badArchive},
	{OddBadEncoding, badEncoding},
	{OddBadHeader, badHeader},
	{OddConflictingBoundary, conflictingBoundary},
	{OddConflictingName, conflictingName},
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
