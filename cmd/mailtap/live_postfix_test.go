package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// postfix is a real Postfix with a configuration, queue and log of its own in
// a network namespace. It touches nothing of the machine's.
type postfix struct {
	dir    string
	prefix []string // ip netns exec NAMESPACE
}

const postfixMain = `
compatibility_level = 3.6
queue_directory = %[1]s/queue
data_directory = %[1]s/data
myhostname = mx.test
mydestination = home.test
inet_interfaces = %[2]s
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
local_recipient_maps = inline:{ {alice=1}, {bob=1} }
local_transport = discard:
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = %[1]s/auth.sock
smtpd_sasl_security_options = noanonymous
smtpd_error_sleep_time = 0
smtpd_peername_lookup = no
maillog_file = %[1]s/maillog
maillog_file_prefixes = /
`

// postfixMaster is Debian's, without chroot and with what is needed only.
const postfixMaster = `
smtp      inet       n - n - - smtpd
pickup    unix       n - n 60 1 pickup
cleanup   unix       n - n - 0 cleanup
qmgr      unix       n - n 300 1 qmgr
rewrite   unix       - - n - - trivial-rewrite
bounce    unix       - - n - 0 bounce
defer     unix       - - n - 0 bounce
trace     unix       - - n - 0 bounce
flush     unix       n - n 1000? 0 flush
proxymap  unix       - - n - - proxymap
discard   unix       - - n - - discard
error     unix       - - n - - error
anvil     unix       - - n - 1 anvil
scache    unix       - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
`

// startPostfix begins to serve on port 25 of the address; its end is cleanup's.
func startPostfix(t *testing.T, prefix []string, address string) *postfix {
	t.Helper()
	p := &postfix{dir: openDir(t), prefix: prefix}
	for _, sub := range []string{"etc", "queue", "data"} {
		if err := os.Mkdir(filepath.Join(p.dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	if err := os.Chown(filepath.Join(p.dir, "data"), uid, -1); err != nil {
		t.Fatal(err)
	}
	p.write(t, "etc/main.cf", fmt.Sprintf(postfixMain, p.dir, address))
	p.write(t, "etc/master.cf", postfixMaster)
	refuseLogins(t, filepath.Join(p.dir, "auth.sock"))
	t.Cleanup(func() { p.stop(t) })
	if out, err := p.command("start").CombinedOutput(); err != nil {
		t.Fatalf("postfix start: %v\n%s\n%s", err, out, p.log())
	}
	return p
}

func (p *postfix) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (p *postfix) command(what string) *exec.Cmd {
	argv := append(append([]string(nil), p.prefix...), "postfix", "-c", filepath.Join(p.dir, "etc"), what)
	return exec.Command(argv[0], argv[1:]...)
}

func (p *postfix) log() string {
	text, _ := os.ReadFile(filepath.Join(p.dir, "maillog"))
	return string(text)
}

// stop ends the master process that this test started, by its number.
func (p *postfix) stop(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(p.dir, "queue/pid/master.pid"))
	if err != nil {
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return
	}
	if syscall.Kill(pid, syscall.SIGTERM) != nil {
		return
	}
	gone := func() bool { return syscall.Kill(pid, 0) != nil }
	if !within(10*time.Second, gone) {
		t.Errorf("postfix's master %d did not end", pid)
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// refuseLogins is an authentication server in Dovecot's protocol (version
// 1.1, as Postfix speaks it) that knows nobody.
func refuseLogins(t *testing.T, socket string) {
	t.Helper()
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go refuse(c)
		}
	}()
}

func refuse(c net.Conn) {
	defer c.Close()
	fmt.Fprintf(c, "VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t%032x\nDONE\n", 1)
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		// AUTH id mechanism …; CONT id response
		words := strings.Split(lines.Text(), "\t")
		if len(words) < 2 {
			continue
		}
		switch {
		case words[0] == "AUTH" && words[2] == "LOGIN" && !strings.Contains(lines.Text(), "resp="):
			fmt.Fprintf(c, "CONT\t%s\tVXNlcm5hbWU6\n", words[1])
		case words[0] == "CONT" && len(words) == 3 && !strings.HasPrefix(words[2], "d3Jvbmct"): // not yet "wrong-…"
			fmt.Fprintf(c, "CONT\t%s\tUGFzc3dvcmQ6\n", words[1])
		case words[0] == "AUTH", words[0] == "CONT":
			fmt.Fprintf(c, "FAIL\t%s\tuser=bob\n", words[1])
		}
	}
}
