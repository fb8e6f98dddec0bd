package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mailtap/mailtap/sessions"
)

// maxRefusals is how many kinds of refusals are told apart.
const maxRefusals = 500

// reason is a kind of refusal.
type reason struct {
	verb     string
	code     int
	enhanced string
}

// refusals counts replies of 4xx and 5xx to what a mail needs. Logins are
// counted elsewhere.
type refusals struct {
	counts map[reason]*refused
	rest   int
}

type refused struct {
	n    int
	text string // of the first one that has some
}

func (r *refusals) add(verb string, code int, enhanced, text string) {
	key := reason{verb, code, enhanced}
	v := r.counts[key]
	if v == nil {
		if r.counts == nil {
			r.counts = make(map[reason]*refused)
		}
		if len(r.counts) >= maxRefusals {
			r.prune()
		}
		v = &refused{}
		r.counts[reason{strings.Clone(verb), code, strings.Clone(enhanced)}] = v
	}
	v.n++
	if v.text == "" {
		v.text = strings.Clone(clip(text))
	}
}

func (r *refusals) ranked() []reason {
	return slices.SortedFunc(maps.Keys(r.counts), func(a, b reason) int {
		return cmp.Or(cmp.Compare(r.counts[b].n, r.counts[a].n), cmp.Compare(a.code, b.code), cmp.Compare(a.enhanced, b.enhanced), cmp.Compare(a.verb, b.verb))
	})
}

func (r *refusals) prune() {
	for _, key := range r.ranked()[maxRefusals/2:] {
		r.rest += r.counts[key].n
		delete(r.counts, key)
	}
}

func (r *refusals) top(n int) Refusals {
	out := Refusals{Total: r.rest, Other: r.rest}
	for i, key := range r.ranked() {
		v := r.counts[key]
		out.Total += v.n
		if i >= n {
			out.More++
			out.Other += v.n
			continue
		}
		out.Rows = append(out.Rows, Refusal{
			N: v.n, Verb: key.verb, Code: key.code, Enhanced: key.enhanced, Meaning: meaningOf(key.code, key.enhanced),
			Text: strings.TrimSpace(strings.TrimPrefix(v.text, key.enhanced)),
		})
	}
	return out
}

// Refusals are the most frequent kinds of refusals.
type Refusals struct {
	Total       int
	Rows        []Refusal
	More, Other int // kinds that are not among Rows, and how often they were seen
}

// Refusal is a kind of reply.
type Refusal struct {
	N        int
	Verb     string // of the command; banner for the greeting, empty for a reply to none
	Code     int
	Enhanced string // RFC 3463
	Meaning  string // of the code
	Text     string // of the first of them
}

// meaningOf says what a code means: the enhanced one where there is one (RFC
// 3463 and the registry that goes on with it), else the plain one (RFC 5321,
// 4.2.3).
func meaningOf(code int, enhanced string) string {
	if _, detail, ok := strings.Cut(enhanced, "."); ok {
		if m := enhancedMeanings[detail]; m != "" {
			return m
		}
		subject, rest, _ := strings.Cut(detail, ".")
		if m := subjects[subject]; m != "" && rest != "0" && rest != "" {
			return m
		}
	}
	if m := codeMeanings[code]; m != "" {
		return m
	}
	switch code / 100 {
	case 4:
		return "refused for now"
	case 5:
		return "refused"
	}
	return strconv.Itoa(code)
}

var subjects = map[string]string{
	"1": "an address", "2": "the mailbox", "3": "the mail system", "4": "network or routing", "5": "the protocol", "6": "the content", "7": "security or policy",
}

var enhancedMeanings = map[string]string{
	"1.0": "an address", "1.1": "no such mailbox", "1.2": "no such domain", "1.3": "bad address", "1.6": "mailbox has moved", "1.7": "bad sender address",
	"1.8": "sender's domain is bad", "1.10": "domain takes no mail (null MX)", "2.1": "mailbox is disabled", "2.2": "mailbox is full",
	"2.3": "message too long for the mailbox", "3.1": "mail system is full", "3.2": "system takes no messages now", "3.4": "message too big",
	"4.1": "no answer from the host", "4.2": "bad connection", "4.5": "system is congested", "4.6": "mail loop", "4.7": "expired in the queue",
	"5.1": "wrong command", "5.2": "syntax", "5.3": "too many recipients", "5.4": "wrong arguments", "6.0": "the content", "7.0": "security or policy",
	"7.1": "not authorised", "7.4": "security not supported", "7.5": "cryptography failed", "7.8": "credentials are wrong", "7.9": "mechanism too weak",
	"7.10": "encryption needed", "7.11": "encryption needed for the mechanism", "7.20": "no passing DKIM signature", "7.23": "SPF failed",
	"7.24": "SPF could not be read", "7.25": "no reverse DNS", "7.26": "several checks failed", "7.27": "sender's domain takes no mail",
	"7.28": "too many messages", "7.30": "TLS is required",
}

var codeMeanings = map[int]string{
	421: "service not available", 450: "mailbox busy", 451: "local error", 452: "out of storage", 454: "TLS not available", 455: "parameters not accepted now",
	500: "unknown command", 501: "syntax", 502: "command not implemented", 503: "wrong order of commands", 504: "parameter not implemented",
	521: "host takes no mail", 530: "authentication needed", 550: "mailbox not available", 551: "user not local", 552: "over quota",
	553: "mailbox name not allowed", 554: "transaction failed", 555: "parameters not known", 556: "domain takes no mail",
}

// countsAsRefusal leaves out what is no mail's matter.
func countsAsRefusal(e *sessions.Replied) bool {
	return e.Code >= 400 && e.Code < 600 && e.Verb != "AUTH"
}
