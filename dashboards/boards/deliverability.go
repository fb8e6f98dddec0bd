package boards

import "github.com/mailtap/mailtap/dashboards/model"

func deliverability() model.Dashboard {
	return model.Dashboard{
		UID: deliverabilityUID, Title: "mailtap / Deliverability", Span: "24h",
		About:       "What is refused and why, what is put off and for how long, how fast servers answer; by role and server.",
		Variables:   []model.Variable{metricsSource, logsSource, instance, role, server},
		Annotations: firing,
		Rows: []model.Row{
			{Height: 4, Panels: recipientsInShort()},
			{Title: "Refusals", Height: 8, Panels: refusals()},
			{Height: 8, Panels: reasons()},
			{Title: "Deferred mail", Height: 8, Panels: deferred()},
			{Title: "By role and server", Height: 8, Panels: servers()},
			{Title: "Delays", Height: 8, Panels: delays()},
			{Title: "Reports and hops", Height: 8, Panels: reports()},
			{Title: "The mails", Height: 8, Panels: mails()},
		},
	}
}

func recipientsInShort() []model.Panel {
	share := func(result string) string {
		return `sum(increase(mailtap_recipients_total{result="` + result + `",$sel}[$__range])) / sum(increase(mailtap_recipients_total{$sel}[$__range]))`
	}
	return []model.Panel{
		one(model.Panel{Kind: model.Stat, Title: "Recipients accepted", Unit: "percentunit", Width: 3, Limits: model.Limits{Yellow: 0.8, Red: 0.5, Below: true},
			About: "Recipients that a server accepted at RCPT, of all, over the time shown."}, share("accepted"), "accepted"),
		one(model.Panel{Kind: model.Stat, Title: "Recipients refused", Unit: "percentunit", Width: 3, Limits: model.Limits{Yellow: 0.2, Red: 0.5},
			About: "Recipients refused for good (5xx), of all, over the time shown. For mail of our own more than some percent are a list that is out of date, or a bad name."}, share("rejected"), "rejected"),
		one(model.Panel{Kind: model.Stat, Title: "Recipients deferred", Unit: "percentunit", Width: 3, Limits: model.Limits{Yellow: 0.2, Red: 0.5},
			About: "Recipients refused for now (4xx), of all, over the time shown. The sender tries again, for days."}, share("deferred"), "deferred"),
		one(model.Panel{Kind: model.Stat, Title: "Mails refused", Unit: "percentunit", Width: 3, Limits: model.Limits{Yellow: 0.2, Red: 0.5},
			About: "Mail transactions that a server refused for good, of all, over the time shown: at MAIL, at RCPT, or for their content."},
			`sum(increase(mailtap_messages_total{result="rejected",$sel}[$__range])) / sum(increase(mailtap_messages_total{$sel}[$__range]))`, "rejected"),
		one(model.Panel{Kind: model.Stat, Title: "Mails accepted", Unit: "short", Width: 3,
			About: "Mails that a server accepted, over the time shown."},
			`sum(increase(mailtap_messages_total{result="accepted",$sel}[$__range]))`, "accepted"),
		one(model.Panel{Kind: model.Stat, Title: "Deferred now", Unit: "short", Width: 3, Limits: model.Limits{Yellow: 100, Red: 1000},
			About: "Recipients that were deferred (4xx) and not yet accepted or refused: the queue of the senders as the wire shows it."},
			`sum(mailtap_deferred_recipients{$sel})`, "deferred"),
		one(model.Panel{Kind: model.Stat, Title: "Waiting longest", Unit: "s", Width: 3, Limits: model.Limits{Yellow: 4 * hour, Red: 12 * hour},
			About: "Time since the first deferral of the recipient that waits longest. Senders give up after days, and are forgotten here after one (metrics.deferred.expire)."},
			`max(mailtap_deferred_oldest_age_seconds{$sel})`, "oldest"),
		one(model.Panel{Kind: model.Stat, Title: "Recipients of a mail", Unit: "short", Width: 3,
			About: "Accepted recipients of an accepted mail, on average over the time shown. A sudden rise is a mailing, or a stolen account."},
			`sum(increase(mailtap_message_recipients_sum{$sel}[$__range])) / sum(increase(mailtap_message_recipients_count{$sel}[$__range]))`, "recipients"),
	}
}

func refusals() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Recipients by result", Unit: "ops", Width: 8, Stacked: true, Colors: outcomes,
			About: "Replies to RCPT a second. A burst of rejected ones on the way in is somebody guessing addresses; on the way out it is a bad list."},
			`sum by (result) (rate(mailtap_recipients_total{$sel}[$__rate_interval]))`, "{{result}}"),
		one(model.Panel{Kind: model.Series, Title: "Refusals by code", Unit: "ops", Width: 8,
			About: "Replies with a 4xx or 5xx code, a second. 550 no such user, 554 policy, 421 too many connections, 450 and 451 greylisting or trouble, 535 wrong password."},
			`sum by (code) (rate(mailtap_replies_total{code=~"[45].*",$sel}[$__rate_interval])) or vector(0)`, "{{code}}"),
		one(model.Panel{Kind: model.Bars, Title: "Which commands are refused", Unit: "short", Width: 8,
			About: "The most frequent refusals over the time shown, by server, command and code. The command . is the end of a message: refused for its content."},
			`topk(12, sum by (server, verb, code) (increase(mailtap_replies_total{code=~"[45].*",$sel}[$__range]))) or vector(0)`, "{{server}} {{verb}} {{code}}"),
	}
}

func reasons() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Refusals by reason", Unit: "ops", Width: 12, Stacked: true,
			About: "Replies that refused a connection, login, mail or recipient, for good or for now, a second, by the reason that their text tells. metrics.reasons adds reasons of your own; other is what no pattern finds."},
			`sum by (reason) (rate(mailtap_refusals_total{$sel}[$__rate_interval]))`, "{{reason}}"),
		one(model.Panel{Kind: model.Bars, Title: "Who refuses, and why", Unit: "short", Width: 12,
			About: "The most frequent reasons over the time shown, by direction and server. outbound and blocklist: a host of ours has a bad name; inbound and unknown_user: somebody guesses addresses."},
			`topk(12, sum by (direction, server, reason) (increase(mailtap_refusals_total{$sel}[$__range])) > 0) or sum(increase(mailtap_refusals_total{$sel}[$__range])) == 0`, "{{direction}} {{server}} {{reason}}"),
	}
}

const hour = 60 * 60 // seconds

func deferred() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Deferred, by age", Unit: "short", Width: 6, Stacked: true,
			About: "Recipients that were deferred and wait, by the time since their first deferral: greylisting ends within minutes, a server that is down fills the older ages."},
			`sum by (age) (mailtap_deferred_recipients_by_age{$sel})`, "up to {{age}}"),
		one(model.Panel{Kind: model.Series, Title: "Deferred, by server", Unit: "short", Width: 6, Stacked: true,
			About: "Recipients that were deferred and wait, by the server that deferred them last. One that grows has trouble: disk, directory, filter."},
			`sum by (server) (mailtap_deferred_recipients{$sel})`, "{{server}}"),
		{Kind: model.Series, Title: "Retries", Unit: "ops", Width: 6, Colors: outcomes,
			About: "Further attempts at deferred recipients, a second, by what came of them; forgotten ones were not tried for long (expired), or there were too many to remember (limit).",
			Queries: []model.Query{
				{Expr: `sum by (result) (rate(mailtap_deferred_retries_total{$sel}[$__rate_interval]))`, Legend: "{{result}}"},
				{Expr: `sum by (reason) (rate(mailtap_deferred_forgotten_total{$sel}[$__rate_interval]))`, Legend: "forgotten: {{reason}}"},
			}},
		{Kind: model.Series, Title: "Delivery delay", Unit: "s", Width: 6,
			About: "Time from the first deferral to acceptance: half of the deferred recipients (50 %), all but the slowest (95 %). Mail that was never deferred does not count.",
			Queries: []model.Query{
				{Expr: `histogram_quantile(0.5, sum by (le, direction) (rate(mailtap_delivery_delay_seconds_bucket{$sel}[$__rate_interval]))) >= 0`, Legend: "{{direction}} 50 %"},
				{Expr: `histogram_quantile(0.95, sum by (le, direction) (rate(mailtap_delivery_delay_seconds_bucket{$sel}[$__rate_interval]))) >= 0`, Legend: "{{direction}} 95 %"},
			}},
	}
}

func servers() []model.Panel {
	sum := func(by, metric, matchers string) string {
		return `sum by (` + by + `) (increase(` + metric + `{` + matchers + `$sel}[$__range]))`
	}
	return []model.Panel{
		{Kind: model.Table, Title: "Servers", Unit: "short", Width: 12,
			About: "Each configured server, by role, over the time shown: mails accepted, and the share that was refused and deferred. other is all servers without a name.",
			Queries: []model.Query{
				{Expr: sum("role, server", "mailtap_messages_total", `result="accepted",`), Legend: "Accepted"},
				{Expr: sum("role, server", "mailtap_messages_total", `result="rejected",`) + " / " + sum("role, server", "mailtap_messages_total", ""), Legend: "Refused", Unit: "percentunit"},
				{Expr: sum("role, server", "mailtap_messages_total", `result="deferred",`) + " / " + sum("role, server", "mailtap_messages_total", ""), Legend: "Deferred", Unit: "percentunit"},
			}},
		one(model.Panel{Kind: model.Series, Title: "Mails refused, by role and server", Unit: "percentunit", Width: 6, Max: 1,
			About: "Mails that were refused or deferred, of all, by role and server. One server above the others has a fault of its own."},
			`sum by (role, server) (rate(mailtap_messages_total{result=~"rejected|deferred",$sel}[$__rate_interval])) / sum by (role, server) (rate(mailtap_messages_total{$sel}[$__rate_interval]))`, "{{role}} {{server}}"),
		one(model.Panel{Kind: model.Series, Title: "Mails accepted, by role and direction", Unit: "ops", Width: 6, Stacked: true,
			About: "Mails that were accepted, a second, by role and direction. Directions are judged by home.networks."},
			`sum by (role, direction) (rate(mailtap_messages_total{result="accepted",$sel}[$__rate_interval])) > 0 or sum(rate(mailtap_messages_total{result="accepted",$sel}[$__rate_interval])) == 0`, "{{role}} {{direction}}"),
	}
}

func delays() []model.Panel {
	quantile := func(q, metric, by, matchers string) string {
		return `histogram_quantile(` + q + `, sum by (` + by + `) (rate(` + metric + `_bucket{` + matchers + `$sel}[$__rate_interval])))`
	}
	return []model.Panel{
		{Kind: model.Series, Title: "End of a message, by server", Unit: "s", Width: 8, Limits: model.Limits{Yellow: 30},
			About: "Time between the last octet of a message and its reply: half of them (50 %) and all but the slowest (95 %). Content filters work here; beyond minutes senders give up and send it again.",
			Queries: []model.Query{
				{Expr: quantile("0.5", "mailtap_reply_delay_seconds", "le, server", `verb=".",`), Legend: "{{server}} 50 %"},
				{Expr: quantile("0.95", "mailtap_reply_delay_seconds", "le, server", `verb=".",`), Legend: "{{server}} 95 %"},
			}},
		one(model.Panel{Kind: model.Series, Title: "Replies, by command", Unit: "s", Width: 8,
			About: "Time in which 95 % of the replies came, by command. A slow RCPT is a slow directory or blocklist, a slow AUTH a slow password store."},
			quantile("0.95", "mailtap_reply_delay_seconds", "le, verb", `verb!=".",`)+" >= 0", "{{verb}}"),
		one(model.Panel{Kind: model.Series, Title: "Greeting, by server", Unit: "s", Width: 8,
			About: "Time in which 95 % of the connections were greeted, by server: a busy server, a slow reverse lookup, or done on purpose against robots."},
			quantile("0.95", "mailtap_banner_delay_seconds", "le, server", ""), "{{server}}"),
	}
}

func reports() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Bars, Title: "Bounces by status", Unit: "short", Width: 8,
			About: "Recipients that delivery reports say will never be reached, over the time shown, by direction and status: 5.1.x addresses, 5.2.x mailboxes, 5.4.x the way, 5.7.x policy. outbound ones tell strangers of mail that we should have refused."},
			`topk(12, sum by (direction, status) (increase(mailtap_delivery_reports_total{action="failed",$sel}[$__range])) > 0) or sum(increase(mailtap_delivery_reports_total{action="failed",$sel}[$__range])) == 0`, "{{direction}} {{status}}"),
		one(model.Panel{Kind: model.Series, Title: "Delivery reports by action", Unit: "ops", Width: 8, Stacked: true,
			About: "Recipients in delivery reports, a second: failed is a bounce, delayed is still tried. A wave of failed ones inbound is mail in our name that we did not send."},
			`sum by (action) (rate(mailtap_delivery_reports_total{$sel}[$__rate_interval]))`, "{{action}}"),
		one(model.Panel{Kind: model.Series, Title: "Hop delay", Unit: "s", Width: 8,
			About: "Time in which 95 % of the mails came from the server before, by direction, as their newest Received or Date tells. Clocks differ and headers lie: look at the change."},
			`histogram_quantile(0.95, sum by (le, direction) (rate(mailtap_hop_delay_seconds_bucket{$sel}[$__rate_interval]))) >= 0`, "{{direction}}"),
	}
}

func mails() []model.Panel {
	return []model.Panel{
		{Kind: model.Series, Title: "Size of messages", Unit: "bytes", Width: 8,
			About: "Octets of content: half of the messages are below 50 %, all but the largest below 95 %. Servers refuse what is above their SIZE.",
			Queries: []model.Query{
				{Expr: `histogram_quantile(0.5, sum by (le) (rate(mailtap_message_bytes_bucket{$sel}[$__rate_interval])))`, Legend: "50 %"},
				{Expr: `histogram_quantile(0.95, sum by (le) (rate(mailtap_message_bytes_bucket{$sel}[$__rate_interval])))`, Legend: "95 %"},
			}},
		{Kind: model.Series, Title: "Duration of sessions", Unit: "s", Width: 8,
			About: "First to last packet of a session: half of them (50 %), all but the longest (95 %).",
			Queries: []model.Query{
				{Expr: `histogram_quantile(0.5, sum by (le) (rate(mailtap_session_duration_seconds_bucket{$sel}[$__rate_interval])))`, Legend: "50 %"},
				{Expr: `histogram_quantile(0.95, sum by (le) (rate(mailtap_session_duration_seconds_bucket{$sel}[$__rate_interval])))`, Legend: "95 %"},
			}},
		one(model.Panel{Kind: model.Bars, Title: "Attachments", Unit: "short", Width: 8,
			About: "Attachments over the time shown, by the family of their declared type. What is dangerous in them is for the rule DangerousAttachment."},
			`sort_desc(sum by (type) (increase(mailtap_attachments_total{$sel}[$__range])))`, "{{type}}"),
	}
}
