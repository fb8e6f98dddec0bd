package dialog

// SmallMail is a relay's session of one small mail: what most connections of a
// busy server look like.
const SmallMail = `S: 220 mail.example ESMTP Postfix
C: EHLO client.example
S: 250-mail.example
S: 250-PIPELINING
S: 250-SIZE 10240000
S: 250-ENHANCEDSTATUSCODES
S: 250 8BITMIME
C: MAIL FROM:<alice@client.example> SIZE=700
S: 250 2.1.0 Ok
C: RCPT TO:<bob@mail.example>
S: 250 2.1.5 Ok
C: DATA
S: 354 End data with <CR><LF>.<CR><LF>
C: From: Alice <alice@client.example>
C: To: <bob@mail.example>
C: Subject: Minutes of the meeting on Monday
C: Message-ID: <4f1f0f6e.17@client.example>
C: Date: Fri, 2 Jan 2026 04:04:05 +0100
C:
C: The quick brown fox jumps over the lazy dog, as it has always done.
C: .
S: 250 2.0.0 Ok: queued as 4XbQ1z2Yk3z9
C: QUIT
S: 221 2.0.0 Bye
close S
close C
`
