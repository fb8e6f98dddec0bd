package alerts

import "github.com/mailtap/mailtap/sessions"

func (f fields) addSession() {
	f["duration"] = func(v view) float64 { return v.session().Duration.Seconds() }
	f["end"] = func(v view) string { return v.session().End }
	f["partial"] = func(v view) bool { return v.session().Partial }
	f["banner.code"] = func(v view) int { return v.session().Banner.Code }
	f["banner.text"] = func(v view) string { return v.session().Banner.Text }
	f["banner.delay"] = func(v view) float64 { return v.session().Banner.Delay.Seconds() }
	f["helo.verb"] = func(v view) string { return v.session().Helo.Verb }
	f["helo.name"] = func(v view) string { return v.session().Helo.Name }
	f["extensions"] = listOfTexts(func(v view) []string { return v.session().Extensions })
	f["anomalies"] = listOfTexts(func(v view) []string { return v.session().Anomalies })
	f["commands"] = func(v view) []sessions.Count { return v.session().Commands }
	f["replies"] = func(v view) []sessions.Count { return v.session().Replies }
	f.addTLS("tls", view.sessionTLS)
	f.addSides("bytes", func(s *sessions.Session) *sessions.Sides { return &s.Bytes })
	f.addSides("packets", func(s *sessions.Session) *sessions.Sides { return &s.Packets })
	f.addSides("lost", func(s *sessions.Session) *sessions.Sides { return &s.Lost })
	f.addSides("retransmitted", func(s *sessions.Session) *sessions.Sides { return &s.Retransmitted })

	login, mail := fields{}, fields{}
	login.addAuth("", view.itemLogin)
	mail.addMail("", view.itemMail)
	f["auth"] = listOf(func(v view) []sessions.Auth { return v.session().Auth }, login)
	f["mails"] = listOf(func(v view) []*sessions.Mail { return v.session().Mails }, mail)
}

func (f fields) addSides(name string, of func(*sessions.Session) *sessions.Sides) {
	f[name+".client"] = func(v view) int { return int(of(v.session()).Client) }
	f[name+".server"] = func(v view) int { return int(of(v.session()).Server) }
}
