package alerts

// marks remembers single events: when they were, and a tag. Counting them is
// exact at the edges of a window; memory is bounded by the threshold.
type marks struct {
	list []mark
	room [5]mark // of the list at first, beside it: most groups never have more
}

type mark struct {
	at  int64 // nanoseconds
	tag uint64
}

func freshMarks(page *[slabPage]marks) {
	for i := range page {
		page[i].list = page[i].room[:0]
	}
}

// minMarks are kept at least of a group whose alert fires, so that a value above
// the threshold can be told.
const minMarks = 64

// clear forgets all. What has grown is used again, unless it grew much.
func (m *marks) clear() {
	if cap(m.list) > minMarks {
		m.list = m.room[:0]
	}
	m.list = m.list[:0]
}

// expire forgets what the window (now-window, now] does not hold. A mark from
// the future is left of a clock that stepped back.
func (m *marks) expire(now, window int64) {
	clean := true
	for i := range m.list {
		clean = clean && m.list[i].at > now-window && m.list[i].at <= now
	}
	if clean { // as a rule: do not write what is in no cache
		return
	}
	live := m.list[:0]
	for _, x := range m.list {
		if x.at > now-window && x.at <= now {
			live = append(live, x)
		}
	}
	m.list = live
}

// add remembers one more event; of more than most the oldest goes.
func (m *marks) add(x mark, most int) {
	for len(m.list) >= most {
		m.drop()
	}
	m.list = append(m.list, x)
}

// addDistinct remembers a tag once, with its newest time.
func (m *marks) addDistinct(x mark, most int) {
	for i := range m.list {
		if m.list[i].tag == x.tag {
			m.list[i].at = x.at
			return
		}
	}
	m.add(x, most)
}

func (m *marks) drop() {
	oldest := 0
	for i, x := range m.list {
		if x.at < m.list[oldest].at {
			oldest = i
		}
	}
	m.list = append(m.list[:oldest], m.list[oldest+1:]...)
}

// forgive takes back the events of a tag.
func (m *marks) forgive(tag uint64) {
	live := m.list[:0]
	for _, x := range m.list {
		if x.tag != tag {
			live = append(live, x)
		}
	}
	m.list = live
}

// oldest is the time of the first event that still counts.
func (m *marks) oldest(now int64) int64 {
	for _, x := range m.list {
		now = min(now, x.at)
	}
	return now
}
