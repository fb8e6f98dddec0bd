package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets
var files embed.FS

// asset is one file of the page.
type asset struct {
	data []byte
	kind string // media type
	tag  string // changes with the data
}

// mediaTypes are given by us: a system's table may say something else.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// readAssets gives the files by their paths; licences stay beside them and are not
// served.
func readAssets() map[string]asset {
	all := make(map[string]asset)
	err := fs.WalkDir(files, "assets", func(name string, d fs.DirEntry, err error) error {
		kind := mediaTypes[path.Ext(name)]
		if err != nil || kind == "" {
			return err
		}
		data, err := files.ReadFile(name)
		sum := sha256.Sum256(data)
		all[strings.TrimPrefix(name, "assets/")] = asset{data, kind, `"` + hex.EncodeToString(sum[:8]) + `"`}
		return err
	})
	if err != nil {
		panic(err) // they are part of the program
	}
	return all
}

func (p *Page) answerAsset(name string) http.HandlerFunc {
	a := p.assets[name]
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("Cache-Control", "no-cache") // asked for again by its tag
		w.Header().Set("ETag", a.tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.data))
	}
}
