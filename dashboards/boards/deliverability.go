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
			{Title: "By role and server", Height: 8, Panels: servers()},
			{Title: "Delays", Height: 8, Panels: delays()},
			{Title: "The mails", Height: 8, Panels: mails()},
		},
	}
}

func recipientsInShort() []model.Panel {
	share := func(result string) string {
		return `sum(increase(mailtap_recipients_total{result="` + result + `",$sel}[$__range])) / sum(increase(mailtap_recipients_total{$sel}[$__range]))`
	}
	return []model.Panel{
		one(model.Panel{Kind: model.Stat, Title: "Recipients accepted", Unit: "percentunit", Width: 4, Limits: model.Limits{Yellow: 0.8, Red: 0.5, Below: true},
			About: "Recipients that a server accepted at RCPT, of all, over the time shown."}, share("accepted"), "accepted"),
		one(model.Panel{Kind: model.Stat, Title: "Recipients refused", Unit: "percentunit", Width: 4, Limits: model.Limits{Yellow: 0.2, Red: 0.5},
			About: "Recipients refused for good (5xx), of all, over the time shown. For mail of our own more than some percent are a list that is out of date, or a bad name."}, share("rejected"), "rejected"),
		one(model.Panel{Kind: model.Stat, Title: "Recipients deferred", Unit: "percentunit", Width: 4, Limits: model.Limits{Yellow: 0.2, Red: 0.5},
			About: "Recipients refused for now (4xx), of all, over the time shown. The sender tries again, for days."}, share("deferred"), "deferred"),
		one(model.Panel{Kind: model.Stat, Title: "Mails refused", Unit: "percentunit", Width: 4, Limits: model.Limits{Yellow: 0.2, Red: 0.5},
			About: "Mail transactions that a server refused for good, of all, over the time shown: at MAIL, at RCPT, or for their content."},
			`sum(increase(mailtap_messages_total{result="rejected",$sel}[$__range])) / sum(increase(mailtap_messages_total{$sel}[$__range]))`, "rejected"),
		one(model.Panel{Kind: model.Stat, Title: "Mails accepted", Unit: "short", Width: 4,
			About: "Mails that a server accepted, over the time shown."},
			`sum(increase(mailtap_messages_total{result="accepted",$sel}[$__range]))`, "accepted"),
		one(model.Panel{Kind: model.Stat, Title: "Recipients of a mail", Unit: "short", Width: 4,
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

func mails() []model.Panel {
	return []model.Panel{
		{Kind: model.Series, Title: "Size of messages", Unit: "bytes", Width: 12,
			About: "Octets of content: half of the messages are below 50 %, all but the largest below 95 %. Servers refuse what is above their SIZE.",
			Queries: []model.Query{
				{Expr: `histogram_quantile(0.5, sum by (le) (rate(mailtap_message_bytes_bucket{$sel}[$__rate_interval])))`, Legend: "50 %"},
				{Expr: `histogram_quantile(0.95, sum by (le) (rate(mailtap_message_bytes_bucket{$sel}[$__rate_interval])))`, Legend: "95 %"},
			}},
		{Kind: model.Series, Title: "Duration of sessions", Unit: "s", Width: 12,
			About: "First to last packet of a session: half of them (50 %), all but the longest (95 %).",
			Queries: []model.Query{
				{Expr: `histogram_quantile(0.5, sum by (le) (rate(mailtap_session_duration_seconds_bucket{$sel}[$__rate_interval])))`, Legend: "50 %"},
				{Expr: `histogram_quantile(0.95, sum by (le) (rate(mailtap_session_duration_seconds_bucket{$sel}[$__rate_interval])))`, Legend: "95 %"},
			}},
	}
}
