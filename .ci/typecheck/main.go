// Command typecheck reads package capture as another system builds it with cgo and
// libpcap, of which this one has neither compiler nor headers: types are checked,
// names of C are taken for granted.
//
//	typecheck darwin arm64
package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const libpcap = "github.com/google/gopacket/pcap"

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "typecheck:", err)
		os.Exit(1)
	}
}

func run(system, arch string) error {
	compiled, err := exports(system, arch)
	if err != nil {
		return err
	}
	c := &checker{fset: token.NewFileSet(), context: build.Default, done: make(map[string]*types.Package)}
	c.context.GOOS, c.context.GOARCH, c.context.CgoEnabled = system, arch, true
	c.others = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		if compiled[path] == "" {
			return nil, fmt.Errorf("%s is not compiled", path)
		}
		return os.Open(compiled[path])
	})
	for _, path := range []string{libpcap, "github.com/mailtap/mailtap/capture"} {
		n, err := c.check(path)
		if err != nil {
			return err
		}
		fmt.Printf("%s/%s with cgo: %s, %d files\n", system, arch, path, n)
	}
	return nil
}

// exports are the compiled packages that the two import.
func exports(system, arch string) (map[string]string, error) {
	list := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}",
		"./capture", "github.com/google/gopacket/layers", "golang.org/x/net/bpf")
	list.Env = append(os.Environ(), "GOOS="+system, "GOARCH="+arch, "CGO_ENABLED=0")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, err
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[path] = file
	}
	return files, nil
}

// checker is an importer that knows what it has checked.
type checker struct {
	fset    *token.FileSet
	context build.Context
	others  types.Importer
	done    map[string]*types.Package
}

// Import implements types.Importer.
func (c *checker) Import(path string) (*types.Package, error) {
	if p := c.done[path]; p != nil {
		return p, nil
	}
	return c.others.Import(path)
}

func (c *checker) check(path string) (int, error) {
	dir, err := exec.Command("go", "list", "-find", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		return 0, fmt.Errorf("go list %s: %w", path, err)
	}
	p, err := c.context.ImportDir(strings.TrimSpace(string(dir)), 0)
	if err != nil {
		return 0, err
	}
	var files []*ast.File
	for _, name := range append(p.GoFiles, p.CgoFiles...) {
		f, err := parser.ParseFile(c.fset, filepath.Join(p.Dir, name), nil, 0)
		if err != nil {
			return 0, err
		}
		files = append(files, f)
	}
	config := types.Config{Importer: c, FakeImportC: true, Sizes: types.SizesFor("gc", c.context.GOARCH)}
	if path == libpcap { // its bodies need the fields of C's structs; we need what it exports
		config.IgnoreFuncBodies = true
	}
	c.done[path], err = config.Check(path, c.fset, files, nil)
	return len(files), err
}
