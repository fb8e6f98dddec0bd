package mail

import (
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// sniff names the media type that the first octets of a file look like. The
// library reads formats of all kinds, so what it may stumble over costs the
// answer and no more.
func sniff(head []byte) (mediaType string) {
	defer func() {
		if recover() != nil {
			mediaType = ""
		}
	}()
	mediaType, _, _ = strings.Cut(mimetype.Detect(head).String(), ";")
	return mediaType
}
