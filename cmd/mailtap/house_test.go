package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The rules of the house, held against the source of every package.

const module = "github.com/mailtap/mailtap/"

// above lists what each room may import of ours: the flow goes one way.
var above = map[string][]string{
	"capture":          {},
	"capture/packet":   {"capture", "capture/prefetch"},
	"capture/prefetch": {},
	"capture/stream":   {"capture", "capture/packet"},
	"decode/smtp":      {},
	"decode/mail":      {},
	"decode/tls":       {"decode/tls/keys"},
	"decode/tls/keys":  {},
	"sessions":         {"capture", "capture/packet", "capture/prefetch", "capture/stream", "decode/smtp", "decode/mail", "decode/tls", "decode/tls/keys"},
	"sessions/dialog":  {"capture", "capture/packet"}, // makes traffic from text, for tests: ours, and those of rules
	"sessions/ladder":  {"sessions"},
	"sessions/privacy": {"sessions"},
	"sessions/syslog":  {}, // a form that records and alerts share, who never meet
	"sessions/log":     {"capture", "capture/packet", "capture/stream", "decode/smtp", "decode/mail", "decode/tls", "sessions", "sessions/syslog"},
	"metrics":          {"capture", "capture/packet", "capture/stream", "decode/smtp", "decode/mail", "decode/tls", "sessions", "metrics/deferrals", "metrics/top"},
	"alerts":           {"capture", "capture/packet", "capture/stream", "decode/smtp", "decode/mail", "decode/tls", "sessions", "alerts/baseline"},
	"alerts/baseline":  {},
	"alerts/notify":    {"alerts"},
	"alerts/evidence":  {"capture", "capture/packet", "sessions", "alerts"},
	"alerts/receivers": {"alerts", "alerts/notify", "sessions/syslog"},
	"alerts/ruletest":  {"alerts", "capture", "capture/packet", "sessions/dialog"},
	"dashboards/page":  {"sessions", "sessions/ladder"},
	"dashboards": {"capture", "capture/packet", "capture/stream", "decode/smtp", "decode/mail", "decode/tls", "sessions",
		"sessions/log", "metrics", "alerts"},
	"doctor":            {"capture", "capture/packet", "sessions"}, // listens for a while and judges, as a person would
	"metrics/deferrals": {"sessions"},
	"metrics/top":       {"sessions"},
	"dashboards/report": {"sessions", "alerts"},
	"dashboards/model":  {},
	"dashboards/boards": {"dashboards/model"},
	"sandbox":           {}, // of the process, beside the flow: cmd alone calls it
}

// impure is what a decoder must not know: it owns no I/O, goroutine, clock,
// logger or global.
var impure = []string{"os", "net", "log", "log/slog", "sync", "sync/atomic", "context", "io/ioutil", "io/fs",
	"math/rand", "math/rand/v2", "crypto/rand", "runtime", "unsafe", "flag", "syscall"}

// shared is what may be imported all the same: a key log grows in one goroutine
// while others read it.
var shared = map[string][]string{"decode/tls/keys": {"sync", "sync/atomic"}}

// clockless rooms take their time from packets.
var clockless = []string{"capture/packet", "capture/stream", "decode/smtp", "decode/mail", "decode/tls", "decode/tls/keys", "sessions",
	"sessions/syslog", "alerts/baseline", "metrics/deferrals", "metrics/top", "dashboards/report"}

// sourceFile is one parsed file of ours.
type sourceFile struct {
	dir, path string
	ast       *ast.File
	fset      *token.FileSet
	isTest    bool
}

func (f sourceFile) at(n ast.Node) string { return f.fset.Position(n.Pos()).String() }

func parseHouse(t *testing.T) []sourceFile {
	t.Helper()
	var files []sourceFile
	root := "../.."
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := d.Name(); name != root && strings.HasPrefix(base, ".") || base == "testdata" || base == "tools" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		files = append(files, sourceFile{filepath.ToSlash(filepath.Dir(rel)), name, parsed, fset, strings.HasSuffix(name, "_test.go")})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d files found: the walk is wrong", len(files))
	}
	return files
}

func TestImportsPointUpTheFlow(t *testing.T) {
	for _, f := range parseHouse(t) {
		if strings.HasPrefix(f.dir, "cmd/") || f.isTest { // a test may look down the flow
			continue
		}
		allowed, known := above[f.dir]
		if !known {
			t.Errorf("%s: a room that the design does not have: say here what it may import", f.path)
		}
		for _, spec := range f.ast.Imports {
			name, ours := strings.CutPrefix(importPath(spec), module)
			if ours && name != f.dir && !slices.Contains(allowed, name) {
				t.Errorf("%s: %s must not import %s", f.at(spec), f.dir, name)
			}
		}
	}
}

func importPath(spec *ast.ImportSpec) string {
	name, _ := strconv.Unquote(spec.Path.Value)
	return name
}

func TestPackagesSayWhatTheyOwn(t *testing.T) {
	docs := make(map[string]string)
	for _, f := range parseHouse(t) {
		if !f.isTest {
			docs[f.dir] += f.ast.Doc.Text()
		}
	}
	for dir, doc := range docs {
		if want := "Package " + path.Base(dir) + " "; dir != "cmd/mailtap" && !strings.HasPrefix(doc, want) {
			t.Errorf("%s has no comment that begins with %q", dir, want)
		}
		if len(strings.Fields(doc)) < 20 {
			t.Errorf("%s: the package comment must say what it owns, who calls it, what it never does", dir)
		}
	}
}

func TestDecodersArePure(t *testing.T) {
	for _, f := range parseHouse(t) {
		if !strings.HasPrefix(f.dir, "decode/") || f.isTest {
			continue
		}
		for _, spec := range f.ast.Imports {
			name := importPath(spec)
			if slices.Contains(impure, name) && !slices.Contains(shared[f.dir], name) {
				t.Errorf("%s: a decoder must not import %s", f.at(spec), name)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n.(type) {
			case *ast.GoStmt, *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
				t.Errorf("%s: a decoder has no goroutines and channels", f.at(n))
			}
			return true
		})
	}
}

func TestTimeIsData(t *testing.T) {
	clocks := []string{"Now", "Since", "Until", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick", "Sleep"}
	for _, f := range parseHouse(t) {
		if !slices.Contains(clockless, f.dir) || f.isTest {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains(clocks, s.Sel.Name) {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
					t.Errorf("%s: %s must not read a clock: time.%s", f.at(n), f.dir, s.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestNoInitAndNoFlagsOutsideCmd(t *testing.T) {
	for _, f := range parseHouse(t) {
		if f.isTest {
			continue
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: no init", f.at(fn))
			}
		}
		for _, spec := range f.ast.Imports {
			if name := importPath(spec); !strings.HasPrefix(f.dir, "cmd/") && (name == "flag" || strings.Contains(name, "spf13/")) {
				t.Errorf("%s: flags and configuration belong to cmd", f.at(spec))
			}
		}
	}
}

// A package's variables are tables and errors: nothing writes to them.
func TestNoGlobalsWithState(t *testing.T) {
	byDir := make(map[string][]sourceFile)
	for _, f := range parseHouse(t) {
		if !f.isTest {
			byDir[f.dir] = append(byDir[f.dir], f)
		}
	}
	for dir, files := range byDir {
		globals := globalsOf(files)
		for _, f := range files {
			for _, w := range writes(f.ast, globals) {
				t.Errorf("%s: %s writes to the package's variable %s", f.at(w), dir, w.Name)
			}
		}
	}
}

func globalsOf(files []sourceFile) map[string]bool {
	names := make(map[string]bool)
	for _, f := range files {
		for _, d := range f.ast.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				for _, n := range s.(*ast.ValueSpec).Names {
					names[n.Name] = true
				}
			}
		}
	}
	delete(names, "_")
	return names
}

// writes finds assignments whose root is a package's variable. The parser
// resolves names of the function's own, so those do not count.
func writes(file *ast.File, globals map[string]bool) []*ast.Ident {
	var found []*ast.Ident
	target := func(e ast.Expr) {
		if id := rootOf(e); id != nil && globals[id.Name] && (id.Obj == nil || isPackageLevel(file, id.Obj)) {
			found = append(found, id)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, e := range n.Lhs {
					target(e)
				}
			}
		case *ast.IncDecStmt:
			target(n.X)
		}
		return true
	})
	return found
}

//lint:ignore SA1019 names of one file are enough here, types are not needed
func isPackageLevel(file *ast.File, o *ast.Object) bool {
	return file.Scope.Lookup(o.Name) == o
}

func rootOf(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.IndexExpr:
			e = x.X
		case *ast.SelectorExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// The rules themselves can fail.
func TestHouseRulesSeeWrites(t *testing.T) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "x.go", "package x\nvar n int\nvar m = map[int]int{}\nfunc f() { n++; m[1] = 2; n := 3; n = 4 }", 0)
	if err != nil {
		t.Fatal(err)
	}
	files := []sourceFile{{ast: f, fset: fset}}
	if got := writes(f, globalsOf(files)); len(got) != 2 {
		t.Errorf("%d writes seen, 2 are there", len(got))
	}
}

// The project speaks of itself, not of a machine that it was built on.
func TestNoMachinePaths(t *testing.T) {
	words := [][]byte{[]byte("/wo" + "rk/"), []byte("/ro" + "ot/"), []byte("/home" + "/"), []byte("/tmp/" + "bash")}
	kinds := map[string]bool{".go": true, ".md": true, ".sh": true, ".yaml": true, ".yml": true, ".json": true, "": true}
	err := filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil || d.IsDir() || !kinds[filepath.Ext(name)] || info.Size() > 1<<20 {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil || bytes.IndexByte(text, 0) >= 0 { // a binary
			return nil
		}
		for _, w := range words {
			if bytes.Contains(text, w) {
				t.Errorf("%s names %s", name, w)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The room table names only rooms that are there.
func TestRoomsExist(t *testing.T) {
	for _, dir := range slices.Sorted(maps.Keys(above)) {
		if _, err := os.Stat(filepath.Join("../..", dir)); err != nil {
			t.Error(err)
		}
	}
}
