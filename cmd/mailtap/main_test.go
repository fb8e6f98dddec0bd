package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The test binary is also the programs that tests start: mailtap itself, a
// webhook receiver and an HTTP client for other network namespaces.
const actAs = "MAILTAP_TEST_ACT_AS"

// corpus lists files of the corpus beside the checkout, where there is one. With the race
// detector there is none: what the shipped captures do not race the others do not
// either.
func corpus(pattern string) []string {
	if raceDetector {
		return nil
	}
	found, _ := filepath.Glob("../../../shared/corpus/" + pattern)
	return found
}

// grepLines are the lines that begin with one of these.
func grepLines(text string, prefixes ...string) string {
	var out []string
	for line := range strings.Lines(text) {
		for _, p := range prefixes {
			if strings.HasPrefix(line, p) {
				out = append(out, strings.TrimSpace(line))
			}
		}
	}
	return strings.Join(out, "\n")
}

func TestMain(m *testing.M) {
	os.Setenv("MAILTAP_SANDBOX_ALLOW_ROOT", "true") // namespaces and captures need root
	switch os.Getenv(actAs) {
	case "":
		os.Exit(m.Run())
	case "mailtap":
		main()
	case "webhook":
		actAsWebhook(os.Args[1])
	case "get":
		actAsClient(os.Args[1])
	}
}

// actAsWebhook prints every body that is posted to it, one a line.
func actAsWebhook(address string) {
	err := http.ListenAndServe(address, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(string(body))
	}))
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func actAsClient(url string) {
	answer, err := http.Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	io.Copy(os.Stdout, answer.Body)
	if answer.StatusCode != http.StatusOK {
		os.Exit(1)
	}
	os.Exit(0)
}

// self makes a command that runs this binary as something else, behind a
// prefix such as ip netns exec.
func self(role string, prefix []string, args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	argv := append(append(append([]string(nil), prefix...), program), args...)
	c := exec.Command(argv[0], argv[1:]...)
	c.Env = append(os.Environ(), actAs+"="+role, "GORACE=atexit_sleep_ms=0") // else each waits a second at its end
	return c
}

// call runs the program inside the test.
func call(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

// openDir is a temporary folder that other users can look into.
func openDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func shipped(name string) string { return filepath.Join("testdata/auth", name, "capture.pcap") }

const oneLogin = "05_auth_plain_clear_success"
