package page_test

import (
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mailtap/mailtap/dashboards/page"
)

var update = flag.Bool("update", false, "take the pictures of docs anew")

func encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const (
	maxPicture = 250_000 // octets
	kept       = 80      // sessions: axe looks at each
)

// TestPageInChromium opens the page in a real browser: it renders, goes on live,
// finds and opens sessions, shows hostile text as text, and suits people who see
// or hear it in other ways.
func TestPageInChromium(t *testing.T) {
	f := newFeed(t, page.Options{Sessions: kept})
	f.hour()
	f.fires(
		page.Alert{Rule: "AuthBruteForce", Severity: "warning", Key: "203.0.113.66", Summary: "203.0.113.66 failed to log in 64 times within 5m, last at 192.0.2.58.", Started: noon.Add(-21 * time.Minute)},
		page.Alert{Rule: "DeliveryDeferred", Severity: "warning", Key: "mx1", Summary: "mx1 defers 48 % of its recipients, far above the 9 % that it learned.", Started: noon.Add(-34 * time.Minute)},
	)
	site := f.serve()
	c := startChromium(t)
	c.look(1440, 1000, "light")
	c.open(site.URL)
	c.wait(`document.querySelector("#live")?.dataset.state === "live"`)
	c.wait(count("#sessions tr") + fmt.Sprintf(" === %d", kept))

	t.Run("renders", func(t *testing.T) {
		for expression, want := range map[string]string{
			`document.querySelector("#clock").textContent`:                            "12:00:00 UTC",
			`document.querySelector("#sensor").textContent`:                           "tap-1",
			`document.querySelector("#alert-count").textContent`:                      "2 firing",
			`String(` + count(".plot canvas") + `)`:                                   "3",
			`document.querySelector("#talkers th").textContent`:                       "198.51.100.10",
			`[...document.querySelector("#role").options].map((o) => o.value).join()`: ",relay,submission",
		} {
			var got string
			if c.eval(expression, &got); got != want {
				t.Errorf("%s is %q, want %q", expression, got, want)
			}
		}
	})
	pictures(t, c, "page-light.png")
	accessible(t, c, "light")

	t.Run("goes on live", func(t *testing.T) {
		f.say(noon.Add(time.Second), "198.51.100.77", "192.0.2.25:25", fmt.Sprintf(hello, "late.example")+bye)
		f.page.Advance(noon.Add(3 * time.Second))
		f.page.Publish()
		c.wait(`document.querySelector("#sessions tr").textContent.includes("late.example")`)
		c.wait(`document.querySelector("#clock").textContent === "12:00:03 UTC"`)
	})
	t.Run("finds", func(t *testing.T) {
		for _, q := range []struct{ query, want string }{
			{"late.example", `=== 1 && document.querySelector("#sessions").textContent.includes("late.example")`}, {"550 unknown", "> 0"},
			{"198.51.100.77", "=== 1"}, {"grüße", "> 0"}, {"no such thing", `=== 1 && document.querySelector("#sessions").textContent === "Nothing is found."`},
		} {
			search(c, q.query)
			c.wait(count("#sessions tr") + q.want + ` && document.querySelector("#found").textContent.endsWith("of the last ` + fmt.Sprint(kept) + `")`)
		}
		search(c, "")
		c.wait(count("#sessions tr") + fmt.Sprintf(" === %d", kept))
	})
	t.Run("opens a ladder", func(t *testing.T) {
		search(c, "alice success queued")
		c.wait(count("#sessions tr") + ` < 10 && document.querySelector("#sessions button")`)
		c.eval(`document.querySelector("#sessions button").click()`, nil)
		c.wait(`document.querySelector("#ladder").open`)
		var text string
		c.eval(`document.querySelector("#ladder").innerText`, &text)
		for _, want := range []string{"EHLO laptop.alice.corp.test", "AUTH PLAIN •••", "235", "Login of alice by PLAIN: success", "a reusable secret crossed the wire in clear", "Mail accepted", "QUIT"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		if strings.Contains(text, "right-secret") || strings.Contains(text, encode("\x00alice\x00right-secret")) {
			t.Errorf("a secret is in\n%s", text)
		}
	})
	pictures(t, c, "page-ladder.png")
	accessible(t, c, "ladder, light")
	c.look(1440, 1000, "dark")
	accessible(t, c, "ladder, dark")
	c.eval(`document.querySelector("#ladder").close()`, nil)
	search(c, "")
	c.wait(count("#sessions tr") + fmt.Sprintf(" === %d", kept))
	pictures(t, c, "page-dark.png")
	accessible(t, c, "dark")

	c.look(390, 844, "light")
	t.Run("fits a phone", func(t *testing.T) {
		c.wait("document.documentElement.scrollWidth <= 390")
	})
	pictures(t, c, "page-phone.png")
	accessible(t, c, "phone")

	c.look(1440, 1000, "light")
	hostile(t, c, f)
	if bad := c.complaints(); bad != "" {
		t.Errorf("the console complains:\n%s", bad)
	}
}

func search(c *chromium, query string) {
	c.t.Helper()
	c.eval(`{ const s = document.querySelector("#search"); s.value = `+quote(query)+`; s.dispatchEvent(new Event("input")); }`, nil)
}

// pictures writes a picture for docs, with -update.
func pictures(t *testing.T, c *chromium, name string) {
	t.Helper()
	if !*update {
		return
	}
	time.Sleep(300 * time.Millisecond) // a frame after the last change
	png := c.picture()
	if len(png) > maxPicture {
		t.Errorf("%s has %d octets", name, len(png))
	}
	if err := os.WriteFile(filepath.Join("../../docs", name), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// accessible has axe look at the page: no fault that is serious or critical.
func accessible(t *testing.T, c *chromium, name string) {
	t.Run("accessible: "+name, func(t *testing.T) {
		axe, err := os.ReadFile("testdata/axe-core/axe.min.js")
		if err != nil {
			t.Fatal(err)
		}
		c.eval(string(axe)+"; true", nil)
		var report struct {
			Checked int
			Faults  []struct {
				ID, Impact, Help string
				Where            []string
			}
		}
		c.eval(`axe.run(document, { resultTypes: ["violations"] }).then((r) => ({ checked: r.passes.length,
			faults: r.violations.map((v) => ({ id: v.id, impact: v.impact, help: v.help, where: v.nodes.slice(0, 3).map((n) => n.html + " " + n.failureSummary) })) }))`, &report)
		if report.Checked < 10 {
			t.Errorf("only %d rules were checked", report.Checked)
		}
		for _, f := range report.Faults {
			if f.Impact == "serious" || f.Impact == "critical" {
				t.Errorf("%s: %s: %s\n%s", f.Impact, f.ID, f.Help, strings.Join(f.Where, "\n"))
			} else {
				t.Logf("%s: %s: %s\n%s", f.Impact, f.ID, f.Help, strings.Join(f.Where, "\n"))
			}
		}
	})
}

// hostile sends what a page without care would run, turn or drown in.
func hostile(t *testing.T, c *chromium, f *feed) {
	t.Run("hostile text is text", func(t *testing.T) {
		const image = `<img src=x onerror=window.hurt=1>`
		f.say(noon.Add(4*time.Second), "203.0.113.99", "192.0.2.25:25", "S: 220 </script><script>window.hurt=1</script>"+image+" "+strings.Repeat("W", 10_000)+
			"\nC: EHLO "+image+"\nS: 250 </script>\nC: MAIL FROM:<\"><svg/onload=window.hurt=1>@evil.example>\nS: 250 ok\nC: RCPT TO:<a@corp.test>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Subject: "+
			image+" \u202egpj.exe {{7*7}} javascript:alert(1)\nC:\nC: text\nC: .\nS: 250 ok "+image+"\n"+bye)
		f.fires(page.Alert{Rule: "X" + image, Severity: image, Key: image, Summary: image, Started: noon})
		f.page.Advance(noon.Add(6 * time.Second))
		f.page.Publish()
		c.wait(`document.querySelector("#sessions tr").textContent.includes("onerror")`)
		c.eval(`document.querySelector("#sessions button").click()`, nil)
		c.wait(`document.querySelector("#ladder").open && document.querySelector("#ladder").textContent.includes("onerror")`)
		for expression, want := range map[string]int{
			count("main img, dialog img, body script, svg, dialog script"): 0,
			"window.hurt || 0": 0,
			`document.querySelector("#ladder").textContent.includes("\u202e") || document.querySelector("#sessions").textContent.includes("\u202e") ? 1 : 0`: 0,
			`document.documentElement.scrollWidth > innerWidth ? 1 : 0`:                                                                                      0,
			`document.querySelector("#ladder .steps").scrollWidth > document.querySelector("#ladder .steps").clientWidth ? 1 : 0`:                            0,
			`document.querySelector("#alerts").textContent.includes("onerror") ? 1 : 0`:                                                                      1,
		} {
			var got int
			if c.eval(expression, &got); got != want {
				t.Errorf("%s is %d, want %d", expression, got, want)
			}
		}
	})
}
