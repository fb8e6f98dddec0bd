package page_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// chromium is a real browser without a window, driven through the pipe of its
// DevTools protocol: JSON, a NUL behind each message.
type chromium struct {
	t       *testing.T
	in      *os.File
	session string // of the one page

	mu       sync.Mutex
	next     int
	waiting  map[int]chan answer
	problems []string // what the console had to complain of
}

type answer struct {
	ID     int
	Method string
	Params json.RawMessage
	Result json.RawMessage
	Error  *struct{ Message string }
}

// patience is how long a page may take for something: the machine may be busy.
const patience = 2 * time.Minute

// missing leaves a test out that cannot run here, or fails it where it must.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("MAILTAP_TEST_LIVE_MUST_RUN") != "" {
		t.Fatalf("%s. Install it: .ci/install.sh test", what)
	}
	t.Skipf("left out: %s. Install it: .ci/install.sh test", what)
}

func startChromium(t *testing.T) *chromium {
	t.Helper()
	i := slices.IndexFunc([]string{"chromium", "chromium-browser"}, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if i < 0 {
		missing(t, "chromium is missing")
	}
	in, toBrowser, err1 := os.Pipe()
	fromBrowser, out, err2 := os.Pipe()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command([]string{"chromium", "chromium-browser"}[i], "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{in, out} // 3 and 4: where the protocol's pipe is
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	out.Close()
	c := &chromium{t: t, in: toBrowser, waiting: make(map[int]chan answer)}
	ended := make(chan struct{})
	go func() { c.listen(bufio.NewReader(fromBrowser)); close(ended) }()
	t.Cleanup(func() {
		c.send("Browser.close", nil, "")
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			cmd.Process.Kill()
		}
		cmd.Wait()
		toBrowser.Close()
		fromBrowser.Close()
	})
	c.attach()
	return c
}

func (c *chromium) listen(r *bufio.Reader) {
	for {
		message, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(message[:len(message)-1], &a) != nil {
			continue
		}
		c.mu.Lock()
		if to := c.waiting[a.ID]; a.ID != 0 && to != nil {
			delete(c.waiting, a.ID)
			to <- a
		}
		if bad := complaint(&a); bad != "" {
			c.problems = append(c.problems, bad)
		}
		c.mu.Unlock()
	}
}

// complaint is what the console shows in red.
func complaint(a *answer) string {
	var p struct {
		Type  string
		Entry struct{ Level, Text, URL string }
	}
	_ = json.Unmarshal(a.Params, &p)
	switch {
	case a.Method == "Runtime.exceptionThrown", a.Method == "Runtime.consoleAPICalled" && p.Type == "error":
		return string(a.Params)
	case a.Method == "Log.entryAdded" && p.Entry.Level == "error":
		return p.Entry.Text + " " + p.Entry.URL
	}
	return ""
}

func (c *chromium) send(method string, params any, session string) chan answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	message := map[string]any{"id": c.next, "method": method}
	if params != nil {
		message["params"] = params
	}
	if session != "" {
		message["sessionId"] = session
	}
	text, _ := json.Marshal(message)
	to := make(chan answer, 1)
	c.waiting[c.next] = to
	c.in.Write(append(text, 0))
	return to
}

func (c *chromium) call(method string, params any, result any) {
	c.t.Helper()
	select {
	case a := <-c.send(method, params, c.session):
		if a.Error != nil {
			c.t.Fatalf("%s: %s", method, a.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(a.Result, result); err != nil {
				c.t.Fatalf("%s: %v", method, err)
			}
		}
	case <-time.After(patience):
		c.t.Fatalf("%s: no answer", method)
	}
}

type object = map[string]any

func (c *chromium) attach() {
	c.t.Helper()
	var target struct{ TargetID string }
	c.call("Target.createTarget", object{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	c.call("Target.attachToTarget", object{"targetId": target.TargetID, "flatten": true}, &attached)
	c.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		c.call(domain+".enable", nil, nil)
	}
}

// look sets the size of the window and the light of the room.
func (c *chromium) look(width, height int, scheme string) {
	c.t.Helper()
	c.call("Emulation.setDeviceMetricsOverride", object{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
	c.call("Emulation.setEmulatedMedia", object{"features": []object{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

func (c *chromium) open(url string) {
	c.t.Helper()
	c.call("Page.navigate", object{"url": url}, nil)
}

// eval gives what an expression, or its promise, comes to.
func (c *chromium) eval(expression string, to any) {
	c.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	c.call("Runtime.evaluate", object{"expression": expression, "awaitPromise": true, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		c.t.Fatalf("%.200s: %s %s", expression, r.ExceptionDetails.Text, r.ExceptionDetails.Exception.Description)
	}
	if to == nil {
		return
	}
	if err := json.Unmarshal(r.Result.Value, to); err != nil {
		c.t.Fatalf("%.200s: %v: %s", expression, err, r.Result.Value)
	}
}

// wait waits until an expression is true.
func (c *chromium) wait(expression string) {
	c.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		var ok bool
		c.eval("Boolean("+expression+")", &ok)
		if ok {
			return
		}
		if time.Now().After(end) {
			var body string
			c.eval("document.body.innerText", &body)
			c.t.Fatalf("never true: %s\n%s\n%s", expression, c.complaints(), body)
		}
	}
}

func (c *chromium) complaints() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.problems, "\n")
}

func (c *chromium) picture() []byte {
	c.t.Helper()
	var shot struct{ Data string }
	c.call("Page.captureScreenshot", object{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		c.t.Fatal(err)
	}
	return png
}

// quote makes a text a literal of the page's language.
func quote(s string) string { b, _ := json.Marshal(s); return string(b) }

func count(selector string) string {
	return fmt.Sprintf("document.querySelectorAll(%s).length", quote(selector))
}
