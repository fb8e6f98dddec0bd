package boards

import "github.com/mailtap/mailtap/dashboards/model"

func security() model.Dashboard {
	return model.Dashboard{
		UID: securityUID, Title: "mailtap / Security", Span: "24h",
		About:       "Who logs in and who fails, which secrets are exposed, what is encrypted and how well, where encryption is taken away, which alerts fire.",
		Variables:   []model.Variable{metricsSource, logsSource, instance, role, server},
		Annotations: firing,
		Rows: []model.Row{
			{Height: 4, Panels: securityNow()},
			{Title: "Alerts", Height: 8, Panels: alertPanels()},
			{Title: "Logins", Height: 8, Panels: logins()},
			{Title: "Encryption", Height: 8, Panels: encryption()},
			{Height: 8, Panels: handshakes()},
		},
	}
}

func securityNow() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Stat, Title: "Alerts firing", Unit: "short", Width: 4, Limits: model.Limits{Red: 1},
			About: "Alerts of mailtap's rules that fire now."}, `sum(mailtap_alerts_firing{$sel})`, "firing"),
		one(model.Panel{Kind: model.Stat, Title: "Failed logins", Unit: "percentunit", Width: 4, Limits: model.Limits{Yellow: 0.3, Red: 0.7},
			About: "Logins that failed, of all, over the time shown. Most of them failing is guessing, or a client with an old password."},
			`sum(increase(mailtap_auth_attempts_total{result="failure",$sel}[$__range])) / sum(increase(mailtap_auth_attempts_total{$sel}[$__range]))`, "failed"),
		one(model.Panel{Kind: model.Stat, Title: "Secrets exposed", Unit: "short", Width: 4, Limits: model.Limits{Red: 1},
			About: "Passwords and tokens that crossed the wire without TLS, over the time shown. They must be changed."},
			`sum(increase(mailtap_credentials_exposed_total{$sel}[$__range]))`, "exposed"),
		one(model.Panel{Kind: model.Stat, Title: "Sessions in TLS", Unit: "percentunit", Width: 4, Limits: model.Limits{Yellow: 0.9, Red: 0.5, Below: true},
			About: "Sessions that were encrypted, of all, over the time shown."},
			`sum(increase(mailtap_tls_sessions_total{outcome="established",$sel}[$__range])) / sum(increase(mailtap_tls_sessions_total{$sel}[$__range]))`, "encrypted"),
		one(model.Panel{Kind: model.Stat, Title: "Downgrades", Unit: "short", Width: 4, Limits: model.Limits{Red: 1},
			About: "Sessions whose STARTTLS was kept from the client on the way (stripped) or refused by the server, over the time shown. Stripped ones are an attack or a firewall."},
			`sum(increase(mailtap_tls_sessions_total{outcome=~"stripped|refused",$sel}[$__range]))`, "downgraded"),
		one(model.Panel{Kind: model.Stat, Title: "Next certificate to expire", Unit: "s", Width: 4, Limits: model.Limits{Yellow: 14 * day, Red: 3 * day, Below: true},
			About: "Time until the first certificate of a named server expires; red below 3 days, yellow below 14, negative where it has. TLS 1.3 hides certificates, so this is known of servers that were seen with TLS 1.2."},
			`min(mailtap_tls_certificate_expiry_timestamp_seconds{server!="other",$sel}) - time()`, "left"),
	}
}

const day = 24 * 60 * 60 // seconds

func alertPanels() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Alerts firing, by rule", Unit: "short", Width: 10, Stacked: true,
			About: "Alerts that fire, by rule and severity. docs/alerts.md tells what each rule means, and has a page for each."},
			`sum by (rule, severity) (mailtap_alerts_firing{$sel}) > 0 or sum(mailtap_alerts_firing{$sel}) == 0`, "{{rule}} {{severity}}"),
		one(model.Panel{Kind: model.Bars, Title: "Alerts that fired", Unit: "short", Width: 7,
			About: "How often each rule fired over the time shown."},
			`topk(12, sum by (rule) (increase(mailtap_alerts_total{$sel}[$__range])) > 0) or sum(increase(mailtap_alerts_total{$sel}[$__range])) == 0`, "{{rule}}"),
		one(model.Panel{Kind: model.Bars, Title: "Anomalies", Unit: "short", Width: 7,
			About: "What was odd on the wire, or reached a limit, over the time shown. An anomaly is no alert; docs/anomalies.md tells what each means."},
			`topk(12, sum by (kind) (increase(mailtap_anomalies_total{$sel}[$__range])) > 0) or sum(increase(mailtap_anomalies_total{$sel}[$__range])) == 0`, "{{kind}}"),
	}
}

func logins() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Logins by result", Unit: "ops", Width: 6, Stacked: true, Colors: outcomes,
			About: "AUTH exchanges a second. Inside TLS they are seen with a key log only."},
			`sum by (result) (rate(mailtap_auth_attempts_total{$sel}[$__rate_interval]))`, "{{result}}"),
		one(model.Panel{Kind: model.Series, Title: "Failed logins by role and server", Unit: "ops", Width: 6,
			About: "Failed logins a second. The dashboard Sessions tells the users and clients."},
			`sum by (role, server) (rate(mailtap_auth_attempts_total{result="failure",$sel}[$__rate_interval]))`, "{{role}} {{server}}"),
		one(model.Panel{Kind: model.Bars, Title: "Logins by mechanism", Unit: "short", Width: 6,
			About: "AUTH exchanges over the time shown, by mechanism, and whether they ran inside TLS (true). PLAIN and LOGIN without TLS expose the password."},
			`topk(12, sum by (mechanism, encrypted) (increase(mailtap_auth_attempts_total{$sel}[$__range])) > 0) or sum(increase(mailtap_auth_attempts_total{$sel}[$__range])) == 0`, "{{mechanism}} in TLS: {{encrypted}}"),
		one(model.Panel{Kind: model.Series, Title: "Secrets exposed, by role and server", Unit: "ops", Width: 6, Stacked: true,
			About: "Passwords and tokens that crossed the wire without TLS, a second. The server should offer AUTH inside TLS only."},
			`sum by (role, server) (rate(mailtap_credentials_exposed_total{$sel}[$__rate_interval]))`, "{{role}} {{server}}"),
	}
}

func encryption() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "Sessions by what became of TLS", Unit: "ops", Width: 8, Stacked: true, Colors: outcomes,
			About: "Sessions a second: established; not_offered by the server; not_used by the client though offered; refused by the server; failed in the handshake; stripped on the way."},
			`sum by (outcome) (rate(mailtap_tls_sessions_total{$sel}[$__rate_interval]))`, "{{outcome}}"),
		one(model.Panel{Kind: model.Series, Title: "Sessions in TLS, by role", Unit: "percentunit", Width: 8, Max: 1,
			About: "Sessions that were encrypted, of all, by role. Submission should be at 100 %."},
			`sum by (role) (rate(mailtap_tls_sessions_total{outcome="established",$sel}[$__rate_interval])) / sum by (role) (rate(mailtap_tls_sessions_total{$sel}[$__rate_interval]))`, "{{role}}"),
		one(model.Panel{Kind: model.Series, Title: "Downgrades, by server", Unit: "ops", Width: 8,
			About: "Sessions whose STARTTLS was kept from the client on the way (stripped), refused, or whose handshake failed, a second. A failing handshake at one server is a bad certificate or an old version."},
			`sum by (server, outcome) (rate(mailtap_tls_sessions_total{outcome=~"stripped|refused|failed",$sel}[$__rate_interval]))`, "{{server}} {{outcome}}"),
	}
}

func handshakes() []model.Panel {
	return []model.Panel{
		one(model.Panel{Kind: model.Series, Title: "TLS versions", Unit: "ops", Width: 6, Stacked: true,
			About: "Handshakes a second, by version. TLSv1.0 and TLSv1.1 are broken (RFC 8996); the rule WeakTLS tells where."},
			`sum by (version) (rate(mailtap_tls_handshakes_total{$sel}[$__rate_interval])) or vector(0)`, "{{version}}"),
		one(model.Panel{Kind: model.Bars, Title: "Ciphers", Unit: "short", Width: 6,
			About: "Handshakes over the time shown, by version and cipher."},
			`topk(12, sum by (version, cipher) (increase(mailtap_tls_handshakes_total{$sel}[$__range]))) or vector(0)`, "{{version}} {{cipher}}"),
		one(model.Panel{Kind: model.Series, Title: "Handshakes, by server", Unit: "s", Width: 6,
			About: "Time in which 95 % of the handshakes ended, by server."},
			`histogram_quantile(0.95, sum by (le, server) (rate(mailtap_tls_handshake_seconds_bucket{$sel}[$__rate_interval])))`, "{{server}}"),
		one(model.Panel{Kind: model.Bars, Title: "Certificates expire in", Unit: "s", Width: 6, Limits: model.Limits{Yellow: 14 * day, Red: 3 * day, Below: true},
			About: "Time until the newest certificate that a server showed expires; negative where it has. TLS 1.3 hides certificates."},
			`sort(min by (server) (mailtap_tls_certificate_expiry_timestamp_seconds{$sel}) - time())`, "{{server}}"),
	}
}
