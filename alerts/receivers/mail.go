package receivers

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"os"
	"strings"
	"time"

	"github.com/mailtap/mailtap/alerts"
	"github.com/mailtap/mailtap/alerts/notify"
)

// maxReplies bounds what a server can answer within one delivery.
const maxReplies = 256 << 10

// MailOptions configure e-mail. Server, From and To are needed. The password is
// a secret.
type MailOptions struct {
	Name     string   // for metrics and errors; default mail
	Server   string   // host:port
	From     string   // address alone
	To       []string // addresses alone
	Hello    string   // name of this machine for EHLO; default localhost
	Username string   // empty: no login
	Password string
	TLS      *tls.Config // nil: the system's authorities, TLS 1.2 and above

	ImplicitTLS        bool // TLS from the first octet, as on port 465, instead of STARTTLS
	InsecureWithoutTLS bool // the mail goes in clear; no login then

	Timeout time.Duration     // of one delivery; default 30 s
	Text    *Template         // of one alert; nil: its summary and details
	Sensor  string            // told in the mail
	Clock   notify.Clock      // for the field Date; nil: the wall clock
	Trouble func(what string) // told of recipients that the server refused while it took the mail for others; nil: nobody
}

// Mail sends e-mail through a server. Without STARTTLS and a certificate that is
// right nothing is sent.
type Mail struct {
	options MailOptions
	host    string
	answer  string
}

// NewMail checks the options.
func NewMail(o MailOptions) (*Mail, error) {
	o.Name = cmp.Or(o.Name, "mail")
	o.Hello = cmp.Or(o.Hello, "localhost")
	o.Timeout = cmp.Or(max(o.Timeout, 0), 30*time.Second)
	if o.Clock == nil {
		o.Clock = notify.WallClock{}
	}
	fail := func(what string) (*Mail, error) { return nil, fmt.Errorf("receiver %s: %s", o.Name, what) }
	host, _, err := net.SplitHostPort(o.Server)
	if err != nil || host == "" {
		return fail("the server must be host:port")
	}
	if len(o.To) == 0 {
		return fail("has no recipient")
	}
	for _, a := range append([]string{o.From}, o.To...) {
		if !IsMailAddress(a) {
			return fail(fmt.Sprintf("%q is no mail address", alerts.Clip(a)))
		}
	}
	if strings.ContainsAny(o.Hello, " \r\n\t") {
		return fail("the name for EHLO has a blank")
	}
	if o.Username != "" && o.InsecureWithoutTLS {
		return fail("a password is sent inside TLS only")
	}
	if strings.ContainsAny(o.Username+o.Password, "\x00\r\n") {
		return fail("user name and password must be one line")
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	o.TLS = config
	return &Mail{options: o, host: host}, nil
}

// IsMailAddress says whether a text is an address and nothing else.
func IsMailAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || strings.ContainsAny(s, "<>\" \t\r\n") {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// Name implements Receiver.
func (m *Mail) Name() string { return m.options.Name }

// Answer is the code of the server's answer to the last mail.
func (m *Mail) Answer() string { return m.answer }

// Send implements Receiver: one mail a batch.
func (m *Mail) Send(ctx context.Context, batch []alerts.Alert) error {
	m.answer = ""
	text, err := m.compose(batch)
	if err != nil {
		return &notify.Error{What: m.options.Server + ": " + err.Error(), Final: true}
	}
	ctx, cancel := context.WithTimeout(ctx, m.options.Timeout)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.options.Server)
	if err != nil {
		return m.told("", err)
	}
	defer c.Close()
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return m.deliver(&scanty{c, maxReplies}, text)
}

// scanty is a connection that brings only so much.
type scanty struct {
	net.Conn
	left int
}

var errTalkative = errors.New("the server says too much")

func (s *scanty) Read(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, errTalkative
	}
	n, err := s.Conn.Read(b[:min(len(b), s.left)])
	s.left -= n
	return n, err
}

// told is an error of ours from one of the server's or the network's. A reply's
// text is left out: it may repeat what was sent to it.
func (m *Mail) told(command string, err error) error {
	var reply *textproto.Error
	var odd textproto.ProtocolError
	out := &notify.Error{What: m.options.Server + ": "}
	switch {
	case errors.As(err, &odd):
		out.What += "the answer is no SMTP"
	case errors.As(err, &reply):
		out.What += fmt.Sprintf("answered %d to %s", reply.Code, command)
		// 5yz to the greeting, EHLO, STARTTLS or AUTH is a matter of the server's or
		// our configuration, which somebody mends; of a mail, it is final.
		out.Final = reply.Code >= 500 && (command == "MAIL" || command == "RCPT" || command == "DATA")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		out.What += "no answer in time"
	default:
		out.What += alerts.Clip(err.Error())
	}
	return out
}

func (m *Mail) deliver(conn net.Conn, text []byte) error {
	c, err := m.greet(conn)
	if err != nil {
		return err
	}
	if m.options.Username != "" {
		if err := m.login(c); err != nil {
			return err
		}
	}
	if err := c.Mail(m.options.From); err != nil {
		return m.told("MAIL", err)
	}
	if err := m.recipients(c); err != nil {
		return err
	}
	w, err := c.Data()
	if err == nil {
		if _, err = w.Write(text); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		return m.told("DATA", err)
	}
	m.answer = "250 to the mail"
	c.Quit() // the mail is theirs, whatever they say to that
	return nil
}

// greet begins the dialog and TLS.
func (m *Mail) greet(conn net.Conn) (*smtp.Client, error) {
	if m.options.ImplicitTLS {
		secure := tls.Client(conn, m.options.TLS)
		if err := secure.Handshake(); err != nil {
			return nil, m.told("", err)
		}
		conn = secure
	}
	c, err := smtp.NewClient(conn, m.host)
	if err != nil {
		return nil, m.told("the connection", err)
	}
	if err := c.Hello(m.options.Hello); err != nil {
		return nil, m.told("EHLO", err)
	}
	if m.options.ImplicitTLS || m.options.InsecureWithoutTLS {
		return c, nil
	}
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return nil, &notify.Error{What: m.options.Server + ": does not offer STARTTLS, nothing was sent"}
	}
	if err := c.StartTLS(m.options.TLS); err != nil {
		return nil, m.told("STARTTLS", err)
	}
	return c, nil
}

func (m *Mail) login(c *smtp.Client) error {
	_, offered := c.Extension("AUTH")
	words := strings.Fields(strings.ToUpper(offered))
	var how smtp.Auth
	for _, w := range words {
		if w == "PLAIN" {
			how = &passwordLogin{mechanism: "PLAIN", user: m.options.Username, password: m.options.Password}
			break
		}
		if w == "LOGIN" {
			how = &passwordLogin{mechanism: "LOGIN", user: m.options.Username, password: m.options.Password}
		}
	}
	if how == nil {
		return &notify.Error{What: m.options.Server + ": offers neither AUTH PLAIN nor LOGIN"}
	}
	if err := c.Auth(how); err != nil {
		var reply *textproto.Error
		if !errors.As(err, &reply) && !errors.Is(err, os.ErrDeadlineExceeded) {
			return &notify.Error{What: m.options.Server + ": AUTH failed"}
		}
		return m.told("AUTH", err)
	}
	return nil
}

// passwordLogin is AUTH PLAIN (RFC 4616) or LOGIN.
type passwordLogin struct {
	mechanism, user, password string
	asked                     int
}

var (
	errClear    = errors.New("no password without TLS")
	errQuestion = errors.New("an unexpected question")
)

// Start implements smtp.Auth.
func (p *passwordLogin) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errClear
	}
	if p.mechanism == "PLAIN" {
		return p.mechanism, []byte("\x00" + p.user + "\x00" + p.password), nil
	}
	return p.mechanism, nil, nil
}

// Next implements smtp.Auth: LOGIN asks for two things, whatever it calls them.
func (p *passwordLogin) Next(_ []byte, more bool) ([]byte, error) {
	p.asked++
	switch {
	case !more:
		return nil, nil
	case p.mechanism == "LOGIN" && p.asked == 1:
		return []byte(p.user), nil
	case p.mechanism == "LOGIN" && p.asked == 2:
		return []byte(p.password), nil
	}
	return nil, errQuestion
}

// recipients of whom the server takes at least one.
func (m *Mail) recipients(c *smtp.Client) error {
	took := 0
	var last error
	var refused []string
	for _, to := range m.options.To {
		err := c.Rcpt(to)
		var reply *textproto.Error
		switch {
		case err == nil:
			took++
		case errors.As(err, &reply):
			refused = append(refused, fmt.Sprintf("%s (%d)", to, reply.Code))
			if last == nil || reply.Code < 500 { // one that may be taken later decides
				last = err
			}
		default:
			return m.told("RCPT", err)
		}
	}
	if took == 0 {
		return m.told("RCPT", last)
	}
	if len(refused) > 0 && m.options.Trouble != nil {
		m.options.Trouble(fmt.Sprintf("%s refused recipients of a mail: %s", m.options.Server, strings.Join(refused, ", ")))
	}
	return nil
}
