package capture

import (
	"errors"
	"fmt"
	"time"
)

// OpenLive begins to capture. Its errors wrap ErrNoInterface, ErrPrivilege,
// ErrDown or ErrNoLive where that is the cause.
func OpenLive(o LiveOptions) (*Live, error) {
	list, err := OpenShards(o, 1)
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// OpenShards shares an interface's packets among several captures, each for
// one goroutine: a connection's both directions come from the one whose place
// in the list ShardOf names, what is no plain TCP from the first. The list is shorter
// where the buffer has no room for so many rings. Only the ring can: with libpcap the
// list has one capture, of everything.
func OpenShards(o LiveOptions, shards int) ([]*Live, error) {
	o = o.withDefaults()
	shards = o.rings(shards)
	part := o
	part.BufferBytes /= shards
	var out []*Live
	for _, m := range members(shards) {
		l, err := newLive(part, m)
		if err != nil {
			closeAll(out)
			return nil, err
		}
		out = append(out, l)
		if shards > 1 && l.opts.Method == MethodPcap {
			closeAll(out)
			return OpenShards(o, 1)
		}
	}
	return out, nil
}

func closeAll(list []*Live) {
	for _, l := range list {
		l.Close()
	}
}

// errNotYet: another socket has to join the group first.
var errNotYet = errors.New("the interface's sockets join one behind the other")

func newLive(o LiveOptions, m *member) (*Live, error) {
	l := &Live{opts: o, member: m, closed: make(chan struct{})}
	var err error
	if l.system, err = openSystem(); err != nil {
		return nil, fmt.Errorf("capture on %s: %w", o.Interface, err)
	}
	d, known := l.system.find(o.Interface)
	switch {
	case o.Interface == "":
		err = noInterfaceError(o.Interface)
	case known && !d.up:
		err = downError(o.Interface)
	default:
		err = l.open(d, known)
	}
	if err == nil && l.opts.Method == MethodRing {
		if err = l.spares.fill(o.Spares, d); err != nil {
			l.reader.close()
		}
	}
	if err != nil {
		l.spares.close()
		l.system.close()
		return nil, err
	}
	l.checked = time.Now()
	return l, nil
}

// open takes the method that was asked for, or of both the better one that
// there is, and stays with it. libpcap may know names that are no interfaces.
func (l *Live) open(d device, known bool) error {
	o := l.opts
	var r reader
	var err error
	if o.Method == MethodAuto {
		o.Method = MethodPcap
		if known && d.ringFits() {
			o.Method = MethodRing
		}
	}
	if o.Method == MethodRing {
		if !known {
			return noInterfaceError(o.Interface)
		}
		r, err = openRing(o, d, l.member, &l.spares)
		if err != nil && l.opts.Method == MethodAuto && !settled(err) {
			o.Method, l.refused = MethodPcap, err
		}
	}
	if o.Method == MethodPcap {
		r, err = openPcap(o, known)
		switch {
		case !errors.Is(err, ErrNoLive):
		case l.refused != nil:
			err = l.refused
		case !known:
			err = noInterfaceError(o.Interface)
		}
	}
	if err != nil {
		return err
	}
	l.opts.Method = o.Method
	l.mu.Lock()
	l.reader, l.index = r, d.index
	l.mu.Unlock()
	return nil
}

// settled tells that another method would fail too.
func settled(err error) bool {
	return errors.Is(err, ErrPrivilege) || errors.Is(err, ErrNoInterface) || errors.Is(err, errNotYet)
}
