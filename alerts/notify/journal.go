package notify

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// journal is a file of records in their order, for the second in which the
// store does not have them yet: what write(2) took outlives the process. Each
// record is its length and its CRC-32C, four octets each with the lowest first,
// then its octets. A power loss may leave any octets: the store has its own
// way to outlive that.
type journal struct {
	file *os.File
	size int64
}

const (
	journalHead = 8
	maxRecord   = 1 << 20  // octets of one record
	maxJournal  = 64 << 20 // octets of a journal whose store takes nothing
)

var errJournalFull = errors.New("its journal is full")

// openJournal reads what a journal holds as far as it is whole, and how many
// octets behind that are not.
func openJournal(name string) (j *journal, records [][]byte, torn int, err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, 0, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxJournal))
	if err != nil {
		f.Close()
		return nil, nil, 0, err
	}
	records, whole := readJournal(data)
	return &journal{f, int64(whole)}, records, len(data) - whole, nil
}

// readJournal cuts data into records. whole is how far they go.
func readJournal(data []byte) (records [][]byte, whole int) {
	for {
		rest := data[whole:]
		if len(rest) < journalHead {
			return records, whole
		}
		n := int(binary.LittleEndian.Uint32(rest))
		if n == 0 || n > maxRecord || n > len(rest)-journalHead {
			return records, whole
		}
		record := rest[journalHead : journalHead+n]
		if binary.LittleEndian.Uint32(rest[4:]) != checksum(record) {
			return records, whole
		}
		records = append(records, record)
		whole += journalHead + n
	}
}

func appendRecord(b, record []byte) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(record)))
	b = binary.LittleEndian.AppendUint32(b, checksum(record))
	return append(b, record...)
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// append writes a record. One that failed half-way is written over by the next.
func (j *journal) append(record []byte) error {
	b := appendRecord(make([]byte, 0, journalHead+len(record)), record)
	if len(record) > maxRecord {
		return fmt.Errorf("an alert of %d octets is too long for it", len(record))
	}
	if j.size+int64(len(b)) > maxJournal {
		return errJournalFull
	}
	if _, err := j.file.WriteAt(b, j.size); err != nil {
		return err
	}
	j.size += int64(len(b))
	return nil
}

// keepCopy keeps what is not whole for somebody to look at. Its failure costs
// nothing that could be read.
func (j *journal) keepCopy(name string) {
	data, err := io.ReadAll(io.NewSectionReader(j.file, 0, maxJournal))
	if err == nil {
		err = os.WriteFile(name, data, 0o600)
	}
	if err != nil {
		os.Remove(name)
	}
}

// reset empties it: the store has its records.
func (j *journal) reset() error {
	j.size = 0
	return j.file.Truncate(0)
}
