package dashboards

const (
	overviewUID   = "mailtap-overview"
	overviewTitle = "mailtap / Overview"
	overviewAbout = "Mail traffic as one or more mailtap sensors see it: is the sensor healthy, does mail flow, who fails to log in, what is not encrypted."
)

// overviewRows is the screen Overview from top to bottom.
var overviewRows = []row{
	{4, []panel{
		{kind: "stat", title: "Alerts firing", unit: "short", width: 4, alarm: 1, about: "Alerts that fire now, of all rules. Look at Alerts firing by rule below.",
			series: []series{{`sum(mailtap_alerts_firing{$sel})`, "firing"}}},
		{kind: "stat", title: "Sessions open", unit: "short", width: 4, about: "SMTP connections that are open now.",
			series: []series{{`sum(mailtap_sessions_open{$sel})`, "open"}}},
		{kind: "stat", title: "Mails accepted", unit: "short", width: 4, about: "Messages that a server accepted, over the time shown.",
			series: []series{{`sum(increase(mailtap_messages_total{result="accepted",$sel}[$__range]))`, "accepted"}}},
		{kind: "stat", title: "Credentials exposed", unit: "short", width: 4, alarm: 1, about: "Passwords and tokens that crossed the wire without TLS, over the time shown. They must be changed.",
			series: []series{{`sum(increase(mailtap_credentials_exposed_total{$sel}[$__range]))`, "exposed"}}},
		{kind: "stat", title: "Capture loss", unit: "percentunit", width: 4, alarm: 0.01, about: "Packets dropped before mailtap saw them, of all packets. Above 1 % records miss facts.",
			series: []series{{`sum(rate(mailtap_capture_dropped_total{$sel}[$__rate_interval])) / (sum(rate(mailtap_capture_packets_total{$sel}[$__rate_interval])) + sum(rate(mailtap_capture_dropped_total{$sel}[$__rate_interval])))`, "lost"}}},
		{kind: "stat", title: "Capture lag", unit: "s", width: 4, alarm: 60, about: "Age of the newest packet. It grows when nothing arrives: a dead mirror port looks like this.",
			series: []series{{`max(mailtap_capture_lag_seconds{$sel})`, "lag"}}},
	}},
	{7, []panel{
		{kind: "timeseries", title: "Packets", unit: "pps", width: 8, about: "Packets handed over by each source.",
			series: []series{{`sum by (instance, source) (rate(mailtap_capture_packets_total{$sel}[$__rate_interval]))`, "{{instance}} {{source}}"}}},
		{kind: "timeseries", title: "Drops", unit: "pps", width: 8, about: "Packets never seen: the kernel's buffer was full (kernel), the interface's (interface), or mailtap was too slow (queue).",
			series: []series{{`sum by (source, reason) (rate(mailtap_capture_dropped_total{$sel}[$__rate_interval]))`, "{{source}} {{reason}}"}}},
		{kind: "timeseries", title: "Holes in streams", unit: "Bps", width: 8, about: "Octets that the peers acknowledged but that were never seen here, and octets that were sent again. Holes without drops above point at the mirror port.",
			series: []series{
				{`sum(rate(mailtap_stream_lost_bytes_total{$sel}[$__rate_interval]))`, "lost"},
				{`sum(rate(mailtap_stream_retransmitted_bytes_total{$sel}[$__rate_interval]))`, "retransmitted"},
			}},
	}},
	{7, []panel{
		{kind: "timeseries", title: "Sessions by end", unit: "ops", width: 8, stacked: true, about: "Sessions that ended, a second, by how: refused and unanswered ones point at a server that is down, or a scan.",
			series: []series{{`sum by (end) (rate(mailtap_sessions_total{$sel}[$__rate_interval]))`, "{{end}}"}}},
		{kind: "timeseries", title: "Mails by result", unit: "ops", width: 8, stacked: true, about: "Mail transactions a second. Deferred ones are tried again by the sender.",
			series: []series{{`sum by (result) (rate(mailtap_messages_total{$sel}[$__rate_interval]))`, "{{result}}"}}},
		{kind: "timeseries", title: "Recipients refused", unit: "ops", width: 8, about: "Replies to RCPT that refuse for good (rejected) or for now (deferred). A burst of rejected ones is somebody guessing addresses.",
			series: []series{{`sum by (direction, result) (rate(mailtap_recipients_total{result!="accepted",$sel}[$__rate_interval]))`, "{{direction}} {{result}}"}}},
	}},
	{7, []panel{
		{kind: "timeseries", title: "Errors by reply code", unit: "ops", width: 8, about: "Replies with a 4xx or 5xx code, a second.",
			series: []series{{`sum by (code) (rate(mailtap_replies_total{code=~"[45].*",$sel}[$__rate_interval]))`, "{{code}}"}}},
		{kind: "timeseries", title: "Reply delay (95 %)", unit: "s", width: 8, about: "Time in which 95 % of the replies come, by command; . is the end of a message, when the server decides over it.",
			series: []series{
				{`histogram_quantile(0.95, sum by (le, verb) (rate(mailtap_reply_delay_seconds_bucket{$sel}[$__rate_interval])))`, "{{verb}}"},
				{`histogram_quantile(0.95, sum by (le) (rate(mailtap_banner_delay_seconds_bucket{$sel}[$__rate_interval])))`, "greeting"},
			}},
		{kind: "timeseries", title: "Logins by result", unit: "ops", width: 8, stacked: true, about: "AUTH exchanges a second.",
			series: []series{{`sum by (result) (rate(mailtap_auth_attempts_total{$sel}[$__rate_interval]))`, "{{result}}"}}},
	}},
	{7, []panel{
		{kind: "timeseries", title: "Share of TLS", unit: "percentunit", width: 6, max: 1, about: "Sessions that were encrypted, of all sessions, by role.",
			series: []series{{`sum by (role) (rate(mailtap_tls_sessions_total{outcome="established",$sel}[$__rate_interval])) / sum by (role) (rate(mailtap_tls_sessions_total{$sel}[$__rate_interval]))`, "{{role}}"}}},
		{kind: "timeseries", title: "Alerts firing by rule", unit: "short", width: 6, about: "Alerts that fire, by rule.",
			series: []series{{`sum by (rule, severity) (mailtap_alerts_firing{$sel}) > 0`, "{{rule}} ({{severity}})"}}},
		{kind: "timeseries", title: "Anomalies", unit: "ops", width: 6, about: "What was odd on the wire, or reached a limit, a second. docs/anomalies.md tells what each means.",
			series: []series{{`sum by (kind) (rate(mailtap_anomalies_total{$sel}[$__rate_interval])) > 0`, "{{kind}}"}}},
		{kind: "timeseries", title: "Queues", unit: "short", width: 6, about: "Records and notifications that wait to be delivered. A queue that stays full drops.",
			series: []series{
				{`sum by (sink) (mailtap_log_queue{$sel})`, "log {{sink}}"},
				{`sum by (receiver) (mailtap_notification_queue{$sel})`, "alerts {{receiver}}"},
				{`sum by (sink) (rate(mailtap_log_records_total{result="dropped",$sel}[$__rate_interval]))`, "log {{sink}} dropped a second"},
			}},
	}},
}
