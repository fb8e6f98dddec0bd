package alerts

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/expr-lang/expr/vm"

	"github.com/mailtap/mailtap/sessions"
)

// both reads one expression natively and by the machine.
type both struct {
	kind    kind
	program *vm.Program
	native  any
	cond    truth
	guard   truth
	facts   *facts
	vm      vm.VM
}

func newBoth(k kind, text string) (*both, error) {
	c := newCompiler(newHome(site))
	p, err := c.program(k, source{text: text}, "x")
	if err != nil {
		return nil, err
	}
	b := &both{kind: k, program: p, native: c.native(k).expression(p.Node()), facts: newFacts()}
	b.cond, b.guard = c.native(k).condition(p.Node())
	b.facts.reads = c.reads
	return b, nil
}

// differ says in what the two readings of an event differ; empty: in nothing.
func (b *both) differ(ev sessions.Event) string {
	b.facts.take(ev)
	want, err := b.vm.Run(b.program, b.facts.env(b.kind))
	v := view{event: ev}
	if b.guard != nil && !b.guard(v) && (err != nil || want != false) {
		return fmt.Sprintf("the guard does not hold, but the machine says %v, %v", want, err)
	}
	if b.cond != nil && b.cond(v) != want {
		return fmt.Sprintf("the condition is %v, the machine says %v, %v", b.cond(v), want, err)
	}
	if b.native == nil {
		return ""
	}
	if err != nil {
		return "the machine failed: " + err.Error()
	}
	if w := writer(b.native); w != nil {
		if got := string(w(nil, v)); got != text(want) {
			return fmt.Sprintf("native %q, the machine says %q", got, text(want))
		}
	}
	switch x := b.native.(type) {
	case moment:
		if at, ok := want.(time.Time); !ok || !x(v).Equal(at) {
			return fmt.Sprintf("native %v, the machine says %v", x(v), want)
		}
	case span:
		if fmt.Sprint(x(v)) != fmt.Sprint(want) {
			return fmt.Sprintf("native %v, the machine says %v", x(v), want)
		}
	}
	return ""
}

// samples are random events of each kind, made once: to make one takes longer
// than to read it both ways.
var samples = sync.OnceValue(func() (out [kinds][]sessions.Event) {
	c := newChance(1)
	for k := range kinds {
		for range 2000 {
			out[k] = append(out[k], c.event(k, 0))
		}
	}
	return out
})

func agree(t *testing.T, k kind, text string, n int) *both {
	t.Helper()
	b, err := newBoth(k, text)
	if err != nil {
		t.Errorf("%s: %v", text, err)
		return nil
	}
	from := len(text) % (len(samples()[k]) - n + 1)
	for _, ev := range samples()[k][from : from+n] {
		if b.differ(ev) != "" {
			t.Errorf("%s: %s: %s on %+v", kindNames[k], text, b.differ(ev), ev)
			return b
		}
	}
	return b
}

// TestBuiltinConditionsAreNative holds that no condition and no key of the
// built-in rules needs the machine (but for capture, one a second), and that all mean what it says.
func TestBuiltinConditionsAreNative(t *testing.T) {
	for _, r := range Builtin().Rules {
		for i := range r.triggers {
			tr := &r.triggers[i]
			for _, s := range []source{tr.when, tr.fire.when, tr.fire.forgive} {
				if s.text == "" {
					continue
				}
				if b := agree(t, tr.kind, s.text, 2000); b != nil && b.cond == nil && tr.kind != kindCapture {
					t.Errorf("%s: needs the machine: %s", r.Name, s.text)
				}
			}
			for _, s := range slices.Concat(tr.groupBy, tr.fire.field, tr.fire.by, tr.fire.forgiveBy) {
				if b := agree(t, tr.kind, s.text, 500); b != nil && writer(b.native) == nil {
					t.Errorf("%s: needs the machine: %s", r.Name, s.text)
				}
			}
		}
	}
}

// expressions of every form; ! stands before those that need the machine, > before
// those of which only the beginning does not.
var expressions = map[kind][]string{
	kindAttempt: {
		`attempt.result == "refused"`, `attempt.result != "refused" or client.port > 30004`, `client.ip == "192.0.2.1"`,
		`client.ip != "010.20.0.10"`, `client.ip in ["192.0.2.1", "2001:db8::1", "fe80::1%eth0", "x"]`, `client.ip not in ["192.0.2.1", "invalid IP"]`,
		`client.ip == server.ip`, `client.ip startsWith "10."`, `is_home(client.ip)`, `is_home(session)`, `is_scanner(source.ip)`, `is_mail_server(client.ip) or is_monitored(server.name)`, `source.ip == client.ip`,
		`source.ip == "192.0.2.1"`, `origin.ip != ""`, `origin.via in ["xclient", "xforward"]`, `origin.ip == source.ip`, `is_home(origin.ip)`,
		`not (is_home(client.ip) && is_home(server.ip))`,
		`server.port in 25..26`, `server.port in [25, 27]`, `client.port >= 30001 and client.port < 30005 and server.name != ""`,
		`len(server.name) > 3`, `lower(server.name) == "alice@mail.corp.test."`, `upper(role) contains "RE"`, `role matches "^su.*n$"`,
		`role < "m"`, `role >= direction`, `direction endsWith "d"`, `server.name in ["a", "", "corp.test", "1", "250", "Über", "none", "pass", "fail", "x"]`,
		`true`, `attempt.result == "refused" ? client.ip == "192.0.2.1" : role == "relay"`, `(role == "" ? direction : role) == "inbound"`,
		`client["ip"] == "192.0.2.1"`, `"a" == role`, `"192.0.2.1" == client.ip`, `time == time`, `time - duration("1h") < time`, `attempt.result == "established" == true`,
		`!role == nil`, `!client.port + 1 > 30004`, `!$env.role == "relay"`, `!let x = role; x == "relay"`, `!role + direction == "a"`,
		`!client.port % 2 == 0`, `>role == "relay" and client.port % 2 == 0`, `>role == "relay" and direction == "" and (client.port % 2 == 0 and role == "")`,
		`!client.port % 2 == 0 and role == "relay"`, `!client?.ip == "192.0.2.1"`, `!role in [direction]`, `!server.name matches role`,
	},
	kindMail: {
		`any(mail.to, # == "y@other.test")`, `all(mail.to, is_foreign(#))`, `none(mail.to, # contains "corp" or domain(#) == domain(mail.from))`,
		`"y@other.test" in mail.to`, `client.ip in mail.to`, `any(mail.rejected, .code == 550 and .to != "")`, `any(mail.verdicts, .result == "fail")`,
		`len(mail.to) > 1`, `mail.recipient == "a" or is_monitored(mail.recipient)`, `mail.duration > 30`, `mail.duration == 1.5`, `mail.hop_delay * 1.0 >= 0 or true`, `mail.size > 20 and mail.declared_size <= 7`,
		`mail.size == mail.code`, `mail.duration > mail.code`, `mail.from_known == mail.smtputf8`, `mail.from_known != mail.smtputf8`,
		`routed_domain(mail.from) == "other.test"`, `is_home_domain(domain(mail.header_from))`, `any(mail.from_addresses, is_home_domain(domain(#)))`,
		`not any(mail.verdicts, .method in ["a", "fail"] and .result != .method)`, `mail.message_id == "" and mail.received > 7 and tls_mode == "none"`,
		`any(mail.to, len(#) > 4) or any(mail.to, # == "a")`, `len(filter(mail.to, # == "")) > 0`,
		`any(mail.attachments, len(.danger) > 0)`, `any(mail.attachments, any(.danger, .kind == "a" and .by != .file))`, `none(mail.attachments, .encrypted or "a" in .names)`,
		`any(mail.attachments, .size > 7 and .sha256 == "" and .filename endsWith ".test")`, `len(mail.malformed) > 0 and "a" not in mail.malformed`,
		`!count(mail.to, # == "a") == 1`, `!mail.to[0] == "a"`, `>mail.code == 250 and mail.to[0] == "a"`,
		`!mail.rejected[0].code == 550 and mail.code == 250`, `!len(mail.to) * 2 > 3`,
	},
	kindTLS: {
		`tls.certificate.not_after - time < duration("336h")`, `tls.certificate.not_after < time`, `tls.certificate.not_before <= time`,
		`tls.certificate.not_after > time`, `tls.certificate.not_after >= tls.certificate.not_before`, `tls.certificate.not_after == time`,
		`tls.certificate.not_after != time`, `time - duration("1h") >= tls.certificate.not_before`, `duration("2h") - duration("1h") == duration("1h")`,
		`"expired" in tls.certificate.problems`, `tls.alert.name == "" and tls.alert.from == ""`, `tls.certificate.self_signed`,
		`!duration(tls.sni) > duration("1s")`, `!tls.certificate.not_after.Year() > 2020`,
	},
	kindSession: {
		`commands.MAIL == 2`, `replies["250"] >= 1 and commands["RCPT"] != 0`, `any(mails, any(.rejected, .code == 550))`, `any(auth, .denied and .username != "")`,
		`any(mails, .received > 2 and .login == helo.name)`, `!bytes.client + 0 >= lost.server or partial`, `bytes.client >= lost.server or partial`, `banner.delay < 1 and banner.code == 220`,
		`len(extensions) > 0 and "SIZE 10" in extensions`, `any(extensions, # startsWith "SIZE")`, `all(mails, any(.to, # == "a"))`,
		`!len(commands) > 1`, `!"MAIL" in commands`, `!auth[0].denied`, `!any(mails, let m = #; m.code == 250)`,
	},
	kindCommand: {`command.code >= 500 and command.code < 600`, `command.delay > 1`, `command.verb == "RCPT" and command.text contains "a"`},
	kindAuth:    {`auth.denied and not auth.encrypted`, `auth.username matches "^[a-z]+$"`},
	kindAnomaly: {`anomaly.kind in ["not_smtp"] or anomaly.detail == "a"`},
}

func TestNativeSaysWhatTheMachineSays(t *testing.T) {
	for k, list := range expressions {
		for _, text := range list {
			machine, partly := strings.HasPrefix(text, "!"), strings.HasPrefix(text, ">")
			b := agree(t, k, strings.TrimLeft(text, "!>"), 1000)
			if b != nil && ((b.cond == nil) != (machine || partly) || (b.guard != nil) != partly) {
				t.Errorf("%s: native %v, guarded %v", text, b.cond != nil, b.guard != nil)
			}
		}
	}
}

// TestEveryFieldIsNative holds the table of fields equal to the environments.
func TestEveryFieldIsNative(t *testing.T) {
	for k := range kinds {
		f := fieldsOf(k)
		known := map[string]bool{}
		var walk func(of reflect.Type, prefix string)
		walk = func(of reflect.Type, prefix string) {
			for i := range of.NumField() {
				field := of.Field(i)
				name := prefix + field.Tag.Get("expr")
				switch {
				case field.Anonymous:
					walk(field.Type, prefix)
				case field.Type.Kind() == reflect.Struct && field.Type.Name() != "Time":
					walk(field.Type, name+".")
				default:
					known[name] = true
					if f[name] == nil {
						t.Errorf("%s: no native %s", kindNames[k], name)
					} else if l, ok := f[name].(list); ok && l.text == nil {
						agreeOnItems(t, k, name, l.of)
					} else {
						agree(t, k, name, 300)
					}
				}
			}
		}
		walk(reflect.TypeOf(newEnv(k)).Elem(), "")
		for name := range f {
			if !known[name] {
				t.Errorf("%s: %s is no field", kindNames[k], name)
			}
		}
	}
}

func agreeOnItems(t *testing.T, k kind, name string, of fields) {
	agree(t, k, "len("+name+")", 300)
	for field, read := range of {
		test := ""
		switch read.(type) {
		case words:
			test = field + ` == "a"`
		case whole:
			test = field + " > 7"
		case real:
			test = field + " > 1"
		case truth:
			test = field
		case list:
			test = "len(" + field + ") == 1"
		}
		agree(t, k, "any("+name+", "+test+")", 300)
	}
}

// TestMachineAloneTellsTheSame holds an engine against one that has nothing
// native.
func TestMachineAloneTellsTheSame(t *testing.T) {
	for seed := range int64(4) {
		fast, fastBook := mixed(t, small())
		slow, slowBook := mixed(t, small())
		for _, r := range slow.rules {
			for _, tr := range r.triggers {
				tr.severity.native = nil
				for _, c := range []*condition{tr.when, tr.also, tr.forgive} {
					if c != nil {
						c.native, c.guard, c.reply = nil, nil, nil
					}
				}
				for _, k := range []*keying{tr.groupBy, tr.field, tr.by, tr.forgiveBy, tr.other} {
					if k != nil {
						for i := range k.values {
							k.values[i].write = nil
						}
					}
				}
			}
		}
		slow.replies = newReplies(slow.interests[kindCommand].conditions)
		for _, ev := range stream(seed, 2000, 2, 100) {
			fast.Handle(ev)
			slow.Handle(ev)
		}
		compare(t, story(fast, fastBook), story(slow, slowBook), 100)
	}
}

// FuzzNative holds that an expression means natively what the machine says.
func FuzzNative(f *testing.F) {
	for k, list := range expressions {
		for _, text := range list {
			f.Add(uint8(k), strings.TrimLeft(text, "!>"), int64(len(text)))
		}
	}
	for _, r := range Builtin().Rules {
		for i := range r.triggers {
			f.Add(uint8(r.triggers[i].kind), r.triggers[i].when.text, int64(i))
		}
	}
	f.Fuzz(func(t *testing.T, k uint8, text string, seed int64) {
		if len(text) > 300 {
			return
		}
		b, err := newBoth(kind(k)%kinds, text)
		if err != nil || b.native == nil && b.guard == nil {
			return
		}
		c := newChance(seed)
		for range 30 {
			if ev := c.event(b.kind, 0); b.differ(ev) != "" {
				t.Fatalf("%s: %s: %s on %+v", kindNames[b.kind], text, b.differ(ev), ev)
			}
		}
	})
}
