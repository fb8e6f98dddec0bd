package receivers

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// File appends alerts to a file, one JSON object a line. It is opened anew for
// each batch, so that it can be moved away at any time, and is on the disk
// before a batch counts as delivered.
type File struct{ name, path string }

// NewFile makes a receiver that appends to path.
func NewFile(name, path string) *File { return &File{cmp.Or(name, "file"), path} }

// Name implements Receiver.
func (f *File) Name() string { return f.name }

// Send implements Receiver.
func (f *File) Send(_ context.Context, batch []alerts.Alert) error {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for i := range batch {
		if err := enc.Encode(&batch[i]); err != nil {
			return &notify.Error{What: err.Error(), Final: true}
		}
	}
	if err := f.add(lines.Bytes()); err != nil {
		return &notify.Error{What: err.Error()}
	}
	return nil
}

func (f *File) add(lines []byte) error {
	// A pipe without a reader would hold the program up when it is opened.
	if info, err := os.Stat(f.path); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no ordinary file", f.path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Alerts name users and addresses: they are for the owner and the group only.
	out, err := os.OpenFile(f.path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return err
	}
	if broken(out) {
		lines = append([]byte{'\n'}, lines...)
	}
	_, err = out.Write(lines)
	return errors.Join(err, out.Sync(), out.Close())
}

// broken says whether the file ends in the middle of a line: a full disk or a
// crash cut it.
func broken(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false
	}
	var last [1]byte
	_, err = f.ReadAt(last[:], info.Size()-1)
	return err == nil && last[0] != '\n'
}
