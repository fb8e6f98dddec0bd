package sessions

import (
	"math"
	"slices"
	"strings"

	"github.com/mailtap/mailtap/decode/smtp"
)

// verbCounts is how often each command was seen. Few sessions have more than 255
// of one kind.
type verbCounts struct {
	few  [smtp.NumVerbs]uint8
	many *[smtp.NumVerbs]uint32 // as many and few, where few was full
}

func (c *verbCounts) add(v smtp.Verb) {
	if c.few[v] == math.MaxUint8 {
		if c.many == nil {
			c.many = new([smtp.NumVerbs]uint32)
		}
		c.many[v] += math.MaxUint8
		c.few[v] = 0
	}
	c.few[v]++
}

// takeBack undoes one add.
func (c *verbCounts) takeBack(v smtp.Verb) {
	if c.few[v] == 0 && c.many != nil && c.many[v] > 0 {
		c.many[v] -= math.MaxUint8
		c.few[v] = math.MaxUint8
	}
	if c.few[v] > 0 {
		c.few[v]--
	}
}

func (c *verbCounts) of(v smtp.Verb) int {
	n := int(c.few[v])
	if c.many != nil {
		n += int(c.many[v])
	}
	return n
}

// verbsByName are all verbs that are counted by name, in that order.
var verbsByName = func() (list []smtp.Verb) {
	for v := range smtp.Verb(smtp.NumVerbs) {
		if v != smtp.EndOfDot {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b smtp.Verb) int { return strings.Compare(a.String(), b.String()) })
	return list
}()

// counts lists the commands by name.
func (c *verbCounts) counts() []Count {
	var room [smtp.NumVerbs]Count
	n := 0
	for _, v := range verbsByName {
		if c.few[v] > 0 || c.many != nil && c.many[v] > 0 {
			room[n] = Count{v.String(), c.of(v)}
			n++
		}
	}
	if n == 0 {
		return nil
	}
	return slices.Clone(room[:n])
}

// codeCounts is how often each reply code was seen. A session has a handful of
// codes: a list is searched faster than a map is made.
type codeCounts struct {
	few  [6]codeCount
	more *[]codeCount // further ones, and further times of one that few has 65535 of
}

type codeCount struct{ code, n uint16 }

func (c *codeCounts) add(code uint16) {
	for i := range c.few {
		switch at := &c.few[i]; {
		case at.n == 0:
			*at = codeCount{code, 1}
			return
		case at.code == code && at.n < math.MaxUint16:
			at.n++
			return
		}
	}
	if c.more == nil {
		c.more = new([]codeCount)
	}
	for i := range *c.more {
		if at := &(*c.more)[i]; at.code == code && at.n < math.MaxUint16 {
			at.n++
			return
		}
	}
	*c.more = append(*c.more, codeCount{code, 1})
}

// once says whether there was one reply at all.
func (c *codeCounts) once() bool { return c.few[0].n == 1 && c.few[1].n == 0 }

// counts lists the codes by name.
func (c *codeCounts) counts(t *texts) []Count {
	kinds := 0
	for kinds < len(c.few) && c.few[kinds].n > 0 {
		kinds++
	}
	if kinds == 0 {
		return nil
	}
	all := make([]Count, 0, kinds)
	for i := range c.few[:kinds] {
		all = c.few[i].addTo(all, t)
	}
	if c.more != nil {
		for i := range *c.more {
			all = (*c.more)[i].addTo(all, t)
		}
	}
	slices.SortFunc(all, byName)
	return all
}

func (c *codeCount) addTo(all []Count, t *texts) []Count {
	name := t.code(uint32(c.code))
	for i := range all {
		if all[i].Name == name {
			all[i].N += int(c.n)
			return all
		}
	}
	return append(all, Count{name, int(c.n)})
}

func byName(a, b Count) int { return strings.Compare(a.Name, b.Name) }
