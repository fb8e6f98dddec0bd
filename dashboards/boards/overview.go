package boards

import "github.com/mailtap/mailtap/dashboards/model"

// overview is one screen: the four golden signals (traffic, latency, errors,
// saturation), and attacks.
func overview() model.Dashboard {
	return model.Dashboard{
		UID: overviewUID, Title: "mailtap / Overview", Span: "6h",
		About:       "Is mail flowing, is it slow, is somebody attacking? From top to bottom: the state now; traffic and errors; latency; attacks and what the sensor itself is short of.",
		Variables:   []model.Variable{metricsSource, logsSource, instance, role, server},
		Annotations: firing,
		Rows: []model.Row{
			{Height: 4, Panels: stateNow()},
			{Height: 6, Panels: traffic()},
			{Height: 6, Panels: latency()},
			{Height: 6, Panels: attacksAndSaturation()},
		},
	}
}

func stateNow() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Stat, Title: "Mails in 30 min", Unit: "short", Width: 3, Limits: model.Limits{Red: 1, Below: true}, More: deliverabilityUID,
			About: "Mails that a server accepted in the last 30 minutes. Red is none: mail stands still, or the sensor sees none (look at Capture loss and at the dashboard Sensor)."},
			`sum(increase(mailtap_messages_total{result="accepted",$sel}[30m]))`, "accepted"),
		one(model.Panel{Kind: model.Stat, Title: "Recipients refused", Unit: "percentunit", Width: 3, Limits: model.Limits{Yellow: 0.2, Red: 0.5}, More: deliverabilityUID,
			About: "Recipients that were refused for good, of all, over the time shown. What is usual depends on the site: a relay in the Internet refuses much; compare with yesterday."},
			`sum(increase(mailtap_recipients_total{result="rejected",$sel}[$__range])) / sum(increase(mailtap_recipients_total{$sel}[$__range]))`, "refused"),
		one(model.Panel{Kind: model.Stat, Title: "Reply delay (95 %)", Unit: "s", Width: 3, Limits: model.Limits{Yellow: 5, Red: 30}, More: deliverabilityUID,
			About: "Time in which 95 % of all replies came, over the time shown. Clients give up after minutes, people before."},
			`histogram_quantile(0.95, sum by (le) (rate(mailtap_reply_delay_seconds_bucket{$sel}[$__range])))`, "95 %"),
		one(model.Panel{Kind: model.Stat, Title: "Deferred now", Unit: "short", Width: 3, Limits: model.Limits{Yellow: 100, Red: 1000}, More: deliverabilityUID,
			About: "Recipients that were deferred (4xx) and not yet accepted or refused: the queue of the senders as the wire shows it. It should fall by itself within hours."},
			`sum(mailtap_deferred_recipients{$sel})`, "deferred"),
		one(model.Panel{Kind: model.Stat, Title: "Alerts firing", Unit: "short", Width: 3, Limits: model.Limits{Red: 1}, More: securityUID,
			About: "Alerts of mailtap's rules that fire now. Which ones stands below; each has a page in docs/runbooks."},
			`sum(mailtap_alerts_firing{$sel})`, "firing"),
		one(model.Panel{Kind: model.Stat, Title: "Failed logins an hour", Unit: "short", Width: 3, Limits: model.Limits{Yellow: 50, Red: 500}, More: securityUID,
			About: "Logins that failed, an hour, over the time shown. People mistype; hundreds are guessing."},
			`sum(rate(mailtap_auth_attempts_total{result="failure",$sel}[$__range])) * 3600`, "failed"),
		one(model.Panel{Kind: model.Stat, Title: "Secrets exposed", Unit: "short", Width: 3, Limits: model.Limits{Red: 1}, More: securityUID,
			About: "Passwords and tokens that crossed the wire without TLS, over the time shown. They must be changed, and the server must not take them in clear."},
			`sum(increase(mailtap_credentials_exposed_total{$sel}[$__range]))`, "exposed"),
		one(model.Panel{Kind: model.Stat, Title: "Capture loss", Unit: "percentunit", Width: 3, Limits: model.Limits{Yellow: 0.001, Red: 0.01}, More: sensorUID,
			About: "Packets that were dropped before mailtap saw them, of all. Above 1 % every number here is too low."},
			captureLoss, "lost"),
	}
}

// captureLoss is the share of packets that were never seen.
const captureLoss = `sum(rate(mailtap_capture_dropped_total{$sel}[$__rate_interval])) / (sum(rate(mailtap_capture_packets_total{$sel}[$__rate_interval])) + sum(rate(mailtap_capture_dropped_total{$sel}[$__rate_interval])))`

func traffic() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Traffic: mails by result", Unit: "ops", Width: 8, Stacked: true, Colors: outcomes, More: deliverabilityUID,
			About: "Mail transactions a second. Deferred ones are tried again by the sender; aborted ones ended before the end of the message."},
			`sum by (result) (rate(mailtap_messages_total{$sel}[$__rate_interval]))`, "{{result}}"),
		one(model.Panel{Kind: model.Series, Title: "Traffic: sessions by end", Unit: "ops", Width: 8, Stacked: true, More: sensorUID,
			About: "Sessions that ended, a second, by how: refused and unanswered ones point at a server that is down, or at a scan."},
			`sum by (end) (rate(mailtap_sessions_total{$sel}[$__rate_interval]))`, "{{end}}"),
		one(model.Panel{Kind: model.Series, Title: "Errors: refusals by reason", Unit: "ops", Width: 8, Stacked: true, More: deliverabilityUID,
			About: "Replies that refused a connection, login, mail or recipient, for good or for now, a second, by the reason that their text tells. A burst of unknown_user is somebody guessing addresses, or an old list; blocklist is a host of ours with a bad name."},
			`sum by (reason) (rate(mailtap_refusals_total{$sel}[$__rate_interval]))`, "{{reason}}"),
	}
}

func latency() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Latency: end of a message", Unit: "s", Width: 8, Limits: model.Limits{Yellow: 30}, More: deliverabilityUID,
			About: "Time in which 95 % of the messages were accepted or refused after their last octet, by server: filters and disks work here. Senders must wait 10 minutes, some do not."},
			`histogram_quantile(0.95, sum by (le, server) (rate(mailtap_reply_delay_seconds_bucket{verb=".",$sel}[$__rate_interval])))`, "{{server}}"),
		one(model.Panel{Kind: model.Series, Title: "Latency: replies by command", Unit: "s", Width: 8, More: deliverabilityUID,
			About: "Time in which 95 % of the replies came, by command. A slow RCPT is a slow directory or blocklist; a slow AUTH a slow password store."},
			`histogram_quantile(0.95, sum by (le, verb) (rate(mailtap_reply_delay_seconds_bucket{verb!=".",$sel}[$__rate_interval]))) >= 0`, "{{verb}}"),
		{Kind: model.Series, Title: "Latency: on the way", Unit: "s", Width: 8, More: deliverabilityUID,
			About: "How late mail is: from the first deferral to acceptance (delivery), from the server before to here as the mail's own header tells (hop), for 95 % of it.",
			Queries: []model.Query{
				{Expr: `histogram_quantile(0.95, sum by (le) (rate(mailtap_delivery_delay_seconds_bucket{$sel}[$__rate_interval])))`, Legend: "delivery"},
				{Expr: `histogram_quantile(0.95, sum by (le) (rate(mailtap_hop_delay_seconds_bucket{$sel}[$__rate_interval])))`, Legend: "hop"},
			}},
	}
}

func attacksAndSaturation() []model.Panel {
	return []model.Panel{
		{Kind: model.Series, Title: "Attack: logins and connections", Unit: "ops", Width: 6, More: securityUID,
			About: "Failed logins, connections that were refused or not answered, and VRFY and EXPN, a second: guessing of passwords, scans, search for addresses.",
			Queries: []model.Query{
				{Expr: `sum(rate(mailtap_auth_attempts_total{result="failure",$sel}[$__rate_interval]))`, Legend: "failed logins"},
				{Expr: `sum(rate(mailtap_connection_attempts_total{result!="established",$sel}[$__rate_interval]))`, Legend: "no connection"},
				{Expr: `sum(rate(mailtap_commands_total{verb=~"VRFY|EXPN",$sel}[$__rate_interval]))`, Legend: "VRFY, EXPN"},
			}},
		one(model.Panel{Kind: model.Series, Title: "Attack: alerts firing", Unit: "short", Width: 6, Stacked: true, More: securityUID,
			About: "Alerts that fire, by rule. docs/alerts.md tells what each rule means."},
			`sum by (rule, severity) (mailtap_alerts_firing{$sel}) > 0 or sum(mailtap_alerts_firing{$sel}) == 0`, "{{rule}} {{severity}}"),
		{Kind: model.Series, Title: "Saturation: lost to the sensor", Unit: "percentunit", Width: 6, Limits: model.Limits{Red: 0.01}, More: sensorUID,
			About: "Packets dropped before mailtap saw them, of all; and octets missing in the streams, of those captured. Octets without packets are lost before the sensor: look at the mirror port.",
			Queries: []model.Query{
				{Expr: captureLoss, Legend: "packets"},
				{Expr: `sum(rate(mailtap_stream_lost_bytes_total{$sel}[$__rate_interval])) / sum(rate(mailtap_capture_bytes_total{$sel}[$__rate_interval]))`, Legend: "octets"},
			}},
		{Kind: model.Series, Title: "Saturation: what waits", Unit: "short", Width: 6, More: sensorUID,
			About: "Records and notifications that wait to be delivered. A queue that only grows has a receiver that is away; a full one drops.",
			Queries: []model.Query{
				{Expr: `sum by (sink) (mailtap_log_queue{$sel})`, Legend: "records {{sink}}"},
				{Expr: `sum by (receiver) (mailtap_notification_queue{$sel})`, Legend: "alerts {{receiver}}"},
			}},
	}
}
