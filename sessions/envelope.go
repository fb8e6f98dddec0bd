package sessions

import (
	"fmt"
	"strings"
	"time"

	"github.com/mailtap/mailtap/decode/smtp"
)

// This file reads what MAIL and RCPT say beside the verb.

// address reads the mailbox of MAIL or RCPT and names what is odd in it.
func (s *session) address(t *smtp.Token) smtp.Address {
	a := smtp.ParseAddress(t.Arg)
	if a.Flags&(smtp.NoBrackets|smtp.Unclosed|smtp.TrailingJunk|smtp.NoColon) != 0 {
		s.anomaly(BadAddress, s.now, "")
	}
	if a.Flags&smtp.SourceRoute != 0 {
		s.anomaly(SourceRoute, s.now, "")
	}
	if a.Flags&smtp.OverlongPath != 0 {
		s.anomaly(AddressLimit, s.now, "")
	}
	return a
}

func (s *session) mailParams(a *smtp.Address) smtp.MailParams {
	p := smtp.ParseMailParams(a.Params)
	if p.Bad > 0 {
		s.anomaly(BadParameter, s.now, "")
	}
	return p
}

func (s *session) rcptParams(a *smtp.Address) *RecipientOptions {
	if len(a.Params) == 0 {
		return nil
	}
	p := smtp.ParseRcptParams(a.Params)
	if p.Bad > 0 {
		s.anomaly(BadParameter, s.now, "")
	}
	if p.Notify == 0 && p.Original == "" {
		return nil
	}
	o := &RecipientOptions{To: a.Mailbox, Notify: notifyText(p.Notify)}
	if p.Original != "" {
		o.Original = p.OriginalType + ";" + p.Original
	}
	return o
}

func notifyText(n smtp.Notify) string {
	var words []string
	for _, w := range []struct {
		bit  smtp.Notify
		word string
	}{{smtp.NotifyNever, "NEVER"}, {smtp.NotifySuccess, "SUCCESS"}, {smtp.NotifyFailure, "FAILURE"}, {smtp.NotifyDelay, "DELAY"}} {
		if n&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ",")
}

// parameters copies the parameters of MAIL.
func (m *Mail) parameters(p *smtp.MailParams) {
	m.DeclaredSize, m.Body, m.SMTPUTF8, m.RequireTLS = p.Size, p.Body, p.SMTPUTF8, p.RequireTLS
	o := p.More
	if o == nil {
		return
	}
	add := func(keyword, value string) {
		if value != "" {
			m.Parameters = append(m.Parameters, keyword+"="+value)
		}
	}
	add("RET", o.Return)
	add("ENVID", o.EnvelopeID)
	add("AUTH", o.Auth)
	add("SUBMITTER", o.Submitter)
	add("XOORG", o.Org)
	if o.ByMode != "" {
		add("BY", fmt.Sprintf("%d;%s", o.ByTime, o.ByMode))
	}
	if o.HoldFor > 0 {
		add("HOLDFOR", fmt.Sprint(o.HoldFor))
	}
	if !o.HoldUntil.IsZero() {
		add("HOLDUNTIL", o.HoldUntil.UTC().Format(time.RFC3339))
	}
	if o.HasPriority {
		add("MT-PRIORITY", fmt.Sprint(o.Priority))
	}
}
