package metrics

import "slices"

// builtinReasons are what servers say most, by their enhanced status codes (RFC
// 3463, 7372, 7505 and IANA's registry) and by the words of Postfix, Exim, Sendmail,
// Exchange and the large providers. The order counts: what is more special comes first.
func builtinReasons() []Reason {
	return slices.Concat(
		builtin("greylisting", `gr[ae]y-?list`, `^451 4\.7\.1 (please )?try again later`, `come back later`),
		builtin("tls_required", `^(523|538)\b`, `\b5\.7\.(10|11|30)\b`, `(issue|use|send).{0,20}starttls`,
			`starttls.{0,20}(first|required)`, `(tls|encryption).{0,20}(required|needed|mandatory)`, `requires? (a )?(tls|ssl|encrypt)`),
		builtin("authentication", `^(432|454|530|534|535)\b`, `\b[45]\.7\.(8|9|20|21|22|23|24|26|29)\b`, `authentica`, `\b(spf|dkim|dmarc)\b`),
		builtin("blocklist", `(block|black|deny) ?list`, `blocked using`, `\b(rbl|dnsbl|rhsbl)`, `spamhaus|spamcop|sorbs|uceprotect|barracuda|senderbase`,
			`\blisted (in|at|by|on)\b`, `reputation`, `client host.{0,80}blocked`, `banned sending ip`),
		builtin("rate", `rate.?limit`, `too many`, `too (fast|much mail)`, `throttl`, `unusual rate`, `mail flood`,
			`exceeded.{0,40}(rate|connections|messages)`, `\b[45]\.7\.28\b`, `\b[45]\.5\.3\b`, `concurren`),
		builtin("quota", `quota`, `\b[45]\.2\.2\b`, `\b[45]\.3\.1\b`, `(mailbox|inbox).{0,10}full`, `(insufficient|not enough|out of).{0,20}(storage|space)`),
		builtin("unknown_user", `\b[45]\.1\.(1|10)\b`, `\b5\.2\.1\b`, `(user|recipient|address|mailbox|account)[^:;]{0,30}(unknown|not found|not exist|n't exist|unavailable|disabled|inactive)`,
			`(unknown|no such|invalid|not a (valid|known)) (local )?(user|recipient|mailbox|address|account|person)`, `no mailbox`),
		builtin("content", `spam|virus|malware|phish|infected`, `\b[45]\.3\.4\b`, `\b[45]\.6\.\d`, `too (large|big)`, `size.{0,20}(limit|exceed)`,
			`(content|attachment|file).{0,30}(reject|block|banned|denied|not allowed)`, `(banned|blocked).{0,10}(content|attachment|file)`, `surbl|uribl`),
		builtin("policy", `polic`, `relay`, `not (allowed|permitted|authori[sz]ed)`, `access (denied|rejected)`, `administrat`, `prohibit`, `blocked`,
			`\b[45]\.7\.(0|1|2|3|4|25|27)\b`, `\b[45]\.1\.8\b`, `reverse (dns|hostname)`, `\bptr\b`, `\b(helo|ehlo)\b`, `domain not found`),
	)
}

// BuiltinReasons are the names of the reasons that there are without any
// configuration.
func BuiltinReasons() []string {
	var names []string
	for _, r := range builtinReasons() {
		if !slices.Contains(names, r.Name) {
			names = append(names, r.Name)
		}
	}
	return names
}

// builtin has each pattern by itself: small ones run faster, and most need not run.
func builtin(name string, patterns ...string) []Reason {
	out := make([]Reason, len(patterns))
	for i, pattern := range patterns {
		var err error
		if out[i], err = compileReason(name, pattern); err != nil {
			panic(err) // a test compiles them all
		}
	}
	return out
}
