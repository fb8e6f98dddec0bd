package notify

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/mailtap/mailtap/alerts"
)

// store is a bbolt file: it outlives a power loss, since each commit waits for
// the disk. Its buckets:
//
//	alerts   id → record
//	waiting  receiver → id → nothing: who lacks which alert
//	active   fingerprint → alert: the last notice of what fires
//	meta     upTo → id: what journals hold up to it is known here
type store struct{ db *bolt.DB }

type bucketNames struct{ alerts, waiting, active, meta, upTo []byte }

func names() bucketNames {
	return bucketNames{[]byte("alerts"), []byte("waiting"), []byte("active"), []byte("meta"), []byte("upTo")}
}

// content is what a store held when it was opened.
type content struct {
	upTo    uint64
	records []record // in the order of their ids
	waiting map[string]map[uint64]bool
	active  []alerts.Alert
	whole   bool // waiting is all that there was
	bad     int  // entries that nobody can read
}

var errLocked = errors.New("another process uses it")

// openStore opens the file and reads it. One that is damaged is set aside as
// name.damaged, with a new one in its place; content is what could be read of
// it, and damage says so.
func openStore(name string) (s *store, c content, damage, err error) {
	s, c, err = readStore(name)
	if err == nil || !isDamage(err) {
		return s, c, nil, err
	}
	damage = err
	if err := os.Rename(name, name+aside); err != nil {
		return nil, c, nil, err
	}
	s, _, err = readStore(name)
	return s, c, damage, err
}

// isDamage tells a file that is not whole from one that cannot be used now.
func isDamage(err error) bool {
	var path *fs.PathError
	var call *os.SyscallError
	var errno syscall.Errno
	if errors.Is(err, fs.ErrPermission) { // somebody else's: it is none of ours
		return true
	}
	return !errors.Is(err, errLocked) && !errors.As(err, &path) && !errors.As(err, &call) && !errors.As(err, &errno)
}

func readStore(name string) (*store, content, error) {
	var c content
	var db *bolt.DB
	err := guard(func() (err error) {
		db, err = bolt.Open(name, 0o600, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
		if errors.Is(err, berrors.ErrTimeout) {
			return errLocked
		}
		if err != nil {
			return err
		}
		return db.View(func(tx *bolt.Tx) error { return c.read(tx, name) })
	})
	if err != nil {
		if db != nil {
			guard(db.Close) // the first error tells more
		}
		return nil, c, err
	}
	return &store{db}, c, nil
}

// guard turns bbolt's panics, and the fault of reading a mapped file that was
// cut short, into an error.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it is damaged: %v", p)
		}
	}()
	return do()
}

func (c *content) read(tx *bolt.Tx, name string) error {
	b := names()
	if meta := tx.Bucket(b.meta); meta != nil {
		c.upTo, _ = readID(meta.Get(b.upTo))
	}
	if active := tx.Bucket(b.active); active != nil {
		active.ForEach(func(_, v []byte) error {
			if a, ok := decodeAlert(v); ok {
				c.active = append(c.active, a)
			} else {
				c.bad++
			}
			return nil
		})
	}
	c.readWaiting(tx.Bucket(b.waiting))
	if all := tx.Bucket(b.alerts); all != nil {
		all.ForEach(func(k, v []byte) error {
			id, ok := readID(k)
			if r, is := decodeRecord(v); is && ok && r.ID == id {
				c.records = append(c.records, r)
			} else {
				c.bad++
			}
			return nil
		})
	}
	info, err := os.Stat(name)
	if err == nil && info.Size() < tx.Size() {
		return fmt.Errorf("it is damaged: %d of %d octets are there", info.Size(), tx.Size())
	}
	if err == nil && c.bad > 0 {
		return fmt.Errorf("%d entries are none of its own", c.bad)
	}
	return err
}

func (c *content) readWaiting(all *bolt.Bucket) {
	c.waiting = map[string]map[uint64]bool{}
	if all != nil {
		all.ForEachBucket(func(name []byte) error {
			ids := map[uint64]bool{}
			c.waiting[string(name)] = ids
			return all.Bucket(name).ForEach(func(k, _ []byte) error {
				if id, ok := readID(k); ok {
					ids[id] = true
				}
				return nil
			})
		})
	}
	c.whole = true
}

// commit writes a batch, all of it or nothing, and waits for the disk.
func (s *store) commit(b *batch) error {
	return guard(func() error { return s.db.Update(func(tx *bolt.Tx) error { return b.write(tx) }) })
}

func (b *batch) write(tx *bolt.Tx) error {
	n := names()
	meta, err := tx.CreateBucketIfNotExists(n.meta)
	all, err1 := tx.CreateBucketIfNotExists(n.alerts)
	active, err2 := tx.CreateBucketIfNotExists(n.active)
	lists, err3 := tx.CreateBucketIfNotExists(n.waiting)
	if err := cmp.Or(err, err1, err2, err3); err != nil {
		return err
	}
	for _, name := range b.forget {
		if err := lists.DeleteBucket([]byte(name)); err != nil && !errors.Is(err, berrors.ErrBucketNotFound) {
			return err
		}
	}
	if err := errors.Join(b.writeAlerts(all, lists), b.writeActive(active)); err != nil || b.upTo == 0 {
		return err
	}
	return meta.Put(n.upTo, writeID(b.upTo))
}

func (b *batch) writeAlerts(all, lists *bolt.Bucket) error {
	var errs []error
	for id, w := range b.put {
		errs = append(errs, all.Put(writeID(id), w.data))
		for _, name := range w.to {
			list, err := lists.CreateBucketIfNotExists([]byte(name))
			if err != nil {
				return err
			}
			errs = append(errs, list.Put(writeID(id), nil))
		}
	}
	for _, m := range b.told {
		if list := lists.Bucket([]byte(m.receiver)); list != nil {
			errs = append(errs, list.Delete(writeID(m.id)))
		}
	}
	for _, id := range b.gone {
		errs = append(errs, all.Delete(writeID(id)))
	}
	return errors.Join(errs...)
}

func (b *batch) writeActive(active *bolt.Bucket) error {
	var errs []error
	for name, data := range b.active {
		if data == nil {
			errs = append(errs, active.Delete([]byte(name)))
		} else {
			errs = append(errs, active.Put([]byte(name), data))
		}
	}
	return errors.Join(errs...)
}

func (s *store) close() error { return guard(s.db.Close) }

// An id is a key of eight octets, the highest first, so that keys are in order.
func writeID(id uint64) []byte { return binary.BigEndian.AppendUint64(nil, id) }

func readID(b []byte) (uint64, bool) {
	if len(b) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(b), true
}
