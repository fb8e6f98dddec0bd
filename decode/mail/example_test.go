package mail_test

import (
	"fmt"

	"github.com/mailtap/mailtap/decode/mail"
)

func ExampleMessage() {
	var m mail.Message
	for _, piece := range []string{
		"From: A <a@client.test>\r\nSubject: =?utf-8?Q?B=C3=BCcher?=\r\nContent-Type: multipart/mixed; bound",
		"ary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n",
		"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n--b--\r\n",
	} {
		m.Write([]byte(piece))
	}
	m.End()
	f := m.Fields()
	fmt.Println(f.Subject, f.FromAddresses)
	for _, a := range m.Attachments() {
		fmt.Println(a.Filename, a.ContentType, a.Sniffed, a.Size, a.SHA256[:8])
	}
	// Output:
	// Bücher [a@client.test]
	// a.pdf application/pdf application/pdf 8 86edbaa2
}
