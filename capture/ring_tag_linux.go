package capture

import "encoding/binary"

// tagLies says whether the data behind a tag that was taken off begins with one more:
// kernels since 2024 then name the protocol behind all tags, and leave the others where
// they are, without the type of the first.
func tagLies(data []byte, protocol uint16, length int) bool {
	version := versionOf(protocol)
	if version == 0 || beginsAs(data, protocol, length) {
		return false
	}
	for len(data) > vlanTag {
		behind := binary.BigEndian.Uint16(data[2:])
		data = data[vlanTag:]
		if behind != etherVLAN && behind != etherQinQ {
			return behind == protocol && data[0]>>4 == version
		}
	}
	return false
}

// versionOf is what the first four bits of a protocol's packets are, 0 where it is not
// IP.
func versionOf(protocol uint16) byte {
	switch protocol {
	case etherIPv4:
		return 4
	case etherIPv6:
		return 6
	}
	return 0
}

// beginsAs says whether data may be a packet of IP. The first bits of a tag are its
// priority, which may be as the version is: then what seems to be the length of the
// packet, and is the type behind the tag or the header behind that, is too large.
func beginsAs(data []byte, protocol uint16, length int) bool {
	if len(data) < 6 || data[0]>>4 != versionOf(protocol) {
		return false
	}
	if protocol == etherIPv4 {
		return int(binary.BigEndian.Uint16(data[2:])) <= length
	}
	return int(binary.BigEndian.Uint16(data[4:])) <= length
}
