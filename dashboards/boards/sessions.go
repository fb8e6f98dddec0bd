package boards

import "github.com/mailtap/mailtap/dashboards/model"

// sessions reads records in Loki: docs/records.md has their fields, and the
// labels, which are sensor, event, role and direction alone.
func sessions() model.Dashboard {
	labels := func(name, title string) model.Variable {
		return model.Variable{Name: name, Title: title, Source: model.Loki, Of: `{event=~".+"}`, Any: true}
	}
	return model.Dashboard{
		UID: sessionsUID, Title: "mailtap / Sessions", Span: "1h",
		About: "The records themselves, from Loki: who talked to whom, what was said, which logins failed. Search takes a regular expression: an address, a user, a code, a session's id.",
		Variables: []model.Variable{metricsSource, logsSource, labels("sensor", "Sensor"), labels("role", "Role"), labels("direction", "Direction"),
			{Name: "search", Title: "Search", Text: true}},
		Annotations: []model.Annotation{{
			Name: "Alerts", Source: model.Loki, Expr: `{event="alert",$sel} | json | status="firing"`, Color: "red",
			Title: "{{rule}}", Text: "{{summary}}", Tags: "severity",
		}},
		Rows: []model.Row{
			{Height: 4, Panels: recordCounts()},
			{Height: 7, Panels: recordsOverTime()},
			{Title: "Who", Height: 8, Panels: topTalkers()},
			{Title: "Alerts", Height: 7, Panels: []model.Panel{logs("Alerts", "Alerts of mailtap's rules, as they fire and end.", "alert",
				`line_format "{{.status}} {{.severity}} {{.rule}}: {{.summary}}"`)}},
			{Title: "Logins and mails", Height: 9, Panels: []model.Panel{
				half(logs("Logins", "Each AUTH exchange. No secret is in a record.", "auth",
					`line_format "{{.result}} {{.mechanism}} {{.username}} from {{.client_ip}} at {{.server_ip}}:{{.server_port}} {{.code}} tls={{.tls_mode}}"`)),
				half(logs("Mails", "Each mail transaction, refused ones too, with the server's words. Open a line for all fields.", "mail",
					`line_format "{{.result}} {{.code}} <{{.from}}> {{.subject}} ({{.client_ip}} to {{.server_ip}}:{{.server_port}}) {{.reply}}"`)),
			}},
			{Title: "Sessions", Height: 12, Panels: []model.Panel{logs("Sessions", "Each connection when it ended, with all that is known of it. Its field session finds its mails and logins by Search.", "session",
				`line_format "{{.end}} {{.client_ip}}:{{.client_port}} to {{.server_ip}}:{{.server_port}} {{.helo_name}} tls={{.tls_mode}} {{.tls_version}} {{.duration}}s {{.session}}"`)}},
		},
	}
}

// logs shows the records of one event that Search finds, in one line each.
func logs(title, about, event, format string) model.Panel {
	return one(model.Panel{Kind: model.Logs, Source: model.Loki, Title: title, Unit: "none", Width: model.Columns, About: about},
		"{event=\""+event+"\",$sel} |~ `(?i)$search` | json | "+format, "")
}

func half(p model.Panel) model.Panel {
	p.Width = model.Columns / 2
	return p
}

// found selects records of an event that Search finds, with some of their fields.
func found(event, fields string) string {
	return "{event=\"" + event + "\",$sel} |~ `(?i)$search` | json " + fields
}

func recordCounts() []model.Panel {
	count := func(query string) string { return `sum(count_over_time(` + query + ` [$__range])) or vector(0)` }
	stat := func(title, about string, limits model.Limits) model.Panel {
		return model.Panel{Kind: model.Stat, Source: model.Loki, Title: title, About: about, Unit: "short", Width: 4, Limits: limits}
	}
	return []model.Panel{
		one(stat("Sessions ended", "Connections that ended in the time shown, of those that Search finds.", model.Limits{}),
			count("{event=\"session\",$sel} |~ `(?i)$search`"), "sessions"),
		one(stat("Mail transactions", "Mail transactions in the time shown, of those that Search finds.", model.Limits{}),
			count("{event=\"mail\",$sel} |~ `(?i)$search`"), "mails"),
		one(stat("Mails refused", "Mail transactions that were refused for good or for now.", model.Limits{}),
			count(found("mail", `result="result"`)+` | result=~"rejected|deferred"`), "refused"),
		one(stat("Logins tried", "AUTH exchanges in the time shown, of those that Search finds.", model.Limits{}),
			count("{event=\"auth\",$sel} |~ `(?i)$search`"), "logins"),
		one(stat("Failed logins", "Logins that failed in the time shown.", model.Limits{Yellow: 50, Red: 500}),
			count(found("auth", `result="result"`)+` | result="failure"`), "failed"),
		one(stat("Alerts begun", "Alerts that began in the time shown.", model.Limits{Red: 1}),
			count(found("alert", `status="status"`)+` | status="firing"`), "alerts"),
	}
}

func recordsOverTime() []model.Panel {
	plot := func(title, about string) model.Panel {
		return model.Panel{Kind: model.Series, Source: model.Loki, Title: title, About: about, Unit: "short", Width: 8, Stacked: true, Colors: outcomes}
	}
	return []model.Panel{
		one(plot("Records", "Records that Search finds, by kind, for each step of the plot. None at all: the sensor is silent, or Loki took nothing."),
			"sum by (event) (count_over_time({event=~\".+\",$sel} |~ `(?i)$search` [$__interval]))", "{{event}}"),
		one(plot("Mails by result", "Mail transactions that Search finds, by result."),
			`sum by (result) (count_over_time(`+found("mail", `result="result"`)+` [$__interval]))`, "{{result}}"),
		one(plot("Logins by result", "AUTH exchanges that Search finds, by result."),
			`sum by (result) (count_over_time(`+found("auth", `result="result"`)+` [$__interval]))`, "{{result}}"),
	}
}

func topTalkers() []model.Panel {
	bars := func(title, about string) model.Panel {
		return model.Panel{Kind: model.Bars, Source: model.Loki, Title: title, About: about, Unit: "short", Width: 6}
	}
	return []model.Panel{
		one(bars("Users whose logins fail", "The users with the most failed logins, over all sensors. Many clients at one user is a distributed attack."),
			`topk(10, sum by (username) (count_over_time(`+found("auth", `result="result", username="username"`)+` | result="failure" [$__range])))`, "{{username}}"),
		one(bars("Clients whose logins fail", "The clients with the most failed logins, over all sensors."),
			`topk(10, sum by (client) (count_over_time(`+found("auth", `result="result", client="client.ip"`)+` | result="failure" [$__range])))`, "{{client}}"),
		one(bars("Why mail is refused", "The most frequent words with which servers refuse mail or put it off."),
			`topk(10, sum by (reply) (count_over_time(`+found("mail", `result="result", reply="reply"`)+` | result=~"rejected|deferred" [$__range])))`, "{{reply}}"),
		one(bars("Who sends", "The clients with the most mail transactions."),
			`topk(10, sum by (client) (count_over_time(`+found("mail", `client="client.ip"`)+` [$__range])))`, "{{client}}"),
	}
}
