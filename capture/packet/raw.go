package packet

// raw tells IPv4 from IPv6 where no link header does.
func (c *cursor) raw() Reason {
	if len(c.data) < 1 {
		return c.lacks(1, BadIPHeader)
	}
	switch c.data[0] >> 4 {
	case 4:
		c.next = ipv4
	case 6:
		c.next = ipv6
	default:
		return NotIP
	}
	return OK
}
