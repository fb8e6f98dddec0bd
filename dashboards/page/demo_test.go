package page_test

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDemoInChromium opens the page of the program itself, as a new user does:
// mailtap demo, a browser, and traffic is there and goes on.
func TestDemoInChromium(t *testing.T) {
	c := startChromium(t)
	program := filepath.Join(t.TempDir(), "mailtap")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/mailtap").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	demo := exec.Command(program, "demo", "--speed", "20", "--duration", "3m", "--web.listen-address", "127.0.0.1:0")
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { demo.Process.Kill(); demo.Wait() })
	lines := bufio.NewScanner(out)
	url := ""
	for url == "" && lines.Scan() {
		url = regexp.MustCompile(`http://[0-9.:]+/`).FindString(lines.Text())
	}
	go func() { // it must not wait for its reader
		for lines.Scan() {
		}
	}()
	c.look(1440, 1000, "light")
	c.open(url)
	c.wait(`document.querySelector("#live")?.dataset.state === "live"`)
	c.wait(`document.querySelector("#sensor").textContent === "demo"`)
	c.wait(count("#sessions tr button") + " > 20")
	c.wait(count("#alerts li.bad") + " > 0")
	c.wait(count("#talkers th") + " > 5")
	var before, label string
	c.eval(`document.querySelector("#sessions tr").dataset.number`, &before)
	c.wait(`document.querySelector("#sessions tr").dataset.number > ` + before) // on its own, without a load
	c.eval(`document.querySelector("#p-mails").getAttribute("aria-label")`, &label)
	if !strings.Contains(label, "accepted") {
		t.Errorf("the plot of mails says %q", label)
	}
	c.eval(`[...document.querySelectorAll("#sessions tr")].find((tr) => tr.textContent.includes("→")).querySelector("button").click()`, nil)
	c.wait(`document.querySelector("#ladder").open && document.querySelectorAll("#ladder li").length > 5`)
	if bad := c.complaints(); bad != "" {
		t.Errorf("the console complains:\n%s", bad)
	}
}
