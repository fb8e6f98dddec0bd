package alerts

import "time"

// Event kinds that a rule can read.
type kind uint8

const (
	kindAttempt kind = iota
	kindSession
	kindCommand
	kindAuth
	kindMail
	kindTLS
	kindAnomaly
	kindCapture
	kinds // how many
)

var kindNames = [kinds]string{"attempt", "session", "command", "auth", "mail", "tls", "anomaly", "capture"}

// newEnv makes the environment that the expressions of a kind are typed
// against and run on. One is made for each kind and filled anew for each event.
func newEnv(k kind) any {
	switch k {
	case kindAttempt:
		return &attemptEnv{}
	case kindSession:
		return &sessionEnv{}
	case kindCommand:
		return &commandEnv{}
	case kindAuth:
		return &authEnv{}
	case kindMail:
		return &mailEnv{}
	case kindTLS:
		return &tlsEnv{}
	case kindAnomaly:
		return &anomalyEnv{}
	default:
		return &captureEnv{}
	}
}

// The environments. The names are those of the records; durations are seconds.
type (
	// ConnFacts is what every event of a connection knows. It is exported only because expr
	// reads embedded structs by reflection.
	ConnFacts struct {
		Session   string      `expr:"session"`
		Time      time.Time   `expr:"time"`
		Client    clientFacts `expr:"client"`
		Server    serverFacts `expr:"server"`
		Origin    originFacts `expr:"origin"`
		Source    sourceFacts `expr:"source"`
		Role      string      `expr:"role"`
		Direction string      `expr:"direction"`
	}
	clientFacts struct {
		IP   string `expr:"ip"`
		Port int    `expr:"port"`
	}
	serverFacts struct {
		IP   string `expr:"ip"`
		Port int    `expr:"port"`
		Name string `expr:"name"`
	}

	originFacts struct {
		IP  string `expr:"ip"`
		Via string `expr:"via"`
	}
	sourceFacts struct {
		IP string `expr:"ip"`
	}

	attemptEnv struct {
		ConnFacts
		Attempt attemptFacts `expr:"attempt"`
	}
	attemptFacts struct {
		Result string `expr:"result"`
	}

	commandEnv struct {
		ConnFacts
		Command commandFacts `expr:"command"`
	}
	commandFacts struct {
		Verb     string  `expr:"verb"`
		Code     int     `expr:"code"`
		Enhanced string  `expr:"enhanced"`
		Text     string  `expr:"text"`
		Delay    float64 `expr:"delay"`
		Argument string  `expr:"argument"`
	}

	authEnv struct {
		ConnFacts
		Auth authFacts `expr:"auth"`
	}
	authFacts struct {
		Mechanism     string `expr:"mechanism"`
		Username      string `expr:"username"`
		Authzid       string `expr:"authzid"`
		Result        string `expr:"result"`
		Code          int    `expr:"code"`
		Enhanced      string `expr:"enhanced"`
		Encrypted     bool   `expr:"encrypted"`
		SecretExposed bool   `expr:"secret_exposed"`
		Denied        bool   `expr:"denied"`
	}

	mailEnv struct {
		ConnFacts
		TLSMode string    `expr:"tls_mode"`
		Mail    mailFacts `expr:"mail"`
	}
	mailFacts struct {
		Duration      float64          `expr:"duration"`
		From          string           `expr:"from"`
		FromKnown     bool             `expr:"from_known"`
		To            []string         `expr:"to"`
		Rejected      []rejectionFacts `expr:"rejected"`
		Recipient     string           `expr:"recipient"`
		Result        string           `expr:"result"`
		Code          int              `expr:"code"`
		Enhanced      string           `expr:"enhanced"`
		Reply         string           `expr:"reply"`
		QueueID       string           `expr:"queue_id"`
		Size          int              `expr:"size"`
		DeclaredSize  int              `expr:"declared_size"`
		Body          string           `expr:"body"`
		SMTPUTF8      bool             `expr:"smtputf8"`
		Chunking      bool             `expr:"chunking"`
		Subject       string           `expr:"subject"`
		HeaderFrom    string           `expr:"header_from"`
		HeaderTo      string           `expr:"header_to"`
		MessageID     string           `expr:"message_id"`
		Date          string           `expr:"date"`
		UserAgent     string           `expr:"user_agent"`
		Received      int              `expr:"received"`
		HopDelay      float64          `expr:"hop_delay"`
		AuthResults   []string         `expr:"auth_results"`
		FromAddresses []string         `expr:"from_addresses"`
		Verdicts      []verdictFacts   `expr:"verdicts"`
		DKIMDomains   []string         `expr:"dkim_domains"`
		Attachments   []fileFacts      `expr:"attachments"`
		Malformed     []string         `expr:"malformed"`
		Truncated     bool             `expr:"truncated"`
		Smuggled      bool             `expr:"smuggled"`
		Login         string           `expr:"login"`
		Authenticated bool             `expr:"authenticated"`
		Encrypted     bool             `expr:"encrypted"`
	}
	verdictFacts struct {
		Method string `expr:"method"`
		Result string `expr:"result"`
	}
	fileFacts struct {
		Filename    string        `expr:"filename"`
		ContentType string        `expr:"content_type"`
		Sniffed     string        `expr:"sniffed_type"`
		Disposition string        `expr:"disposition"`
		Size        int           `expr:"size"`
		SHA256      string        `expr:"sha256"`
		Truncated   bool          `expr:"truncated"`
		Names       []string      `expr:"names"`
		Encrypted   bool          `expr:"encrypted"`
		Danger      []dangerFacts `expr:"danger"`
	}
	dangerFacts struct {
		Kind string `expr:"kind"`
		By   string `expr:"by"`
		File string `expr:"file"`
	}
	rejectionFacts struct {
		To       string `expr:"to"`
		Code     int    `expr:"code"`
		Enhanced string `expr:"enhanced"`
	}

	tlsEnv struct {
		ConnFacts
		TLS tlsFacts `expr:"tls"`
	}
	tlsFacts struct {
		Mode           string           `expr:"mode"`
		Outcome        string           `expr:"outcome"`
		Offered        bool             `expr:"offered"`
		Requested      bool             `expr:"requested"`
		Accepted       bool             `expr:"accepted"`
		Established    bool             `expr:"established"`
		Version        string           `expr:"version"`
		Cipher         string           `expr:"cipher"`
		SNI            string           `expr:"sni"`
		ALPN           string           `expr:"alpn"`
		Resumed        bool             `expr:"resumed"`
		OfferedVersion string           `expr:"offered_version"`
		JA3            string           `expr:"ja3"`
		JA3S           string           `expr:"ja3s"`
		JA4            string           `expr:"ja4"`
		Decrypted      bool             `expr:"decrypted"`
		Alert          tlsAlertFacts    `expr:"alert"`
		Certificate    certificateFacts `expr:"certificate"`
	}
	tlsAlertFacts struct {
		From string `expr:"from"`
		Name string `expr:"name"`
	}
	certificateFacts struct {
		Subject    string    `expr:"subject"`
		Issuer     string    `expr:"issuer"`
		Serial     string    `expr:"serial"`
		NotBefore  time.Time `expr:"not_before"`
		NotAfter   time.Time `expr:"not_after"`
		Names      []string  `expr:"names"`
		SHA256     string    `expr:"sha256"`
		SelfSigned bool      `expr:"self_signed"`
		Key        string    `expr:"key"`
		Signature  string    `expr:"signature_algorithm"`
		Problems   []string  `expr:"problems"`
	}

	anomalyEnv struct {
		ConnFacts
		Anomaly anomalyFacts `expr:"anomaly"`
	}
	anomalyFacts struct {
		Kind   string `expr:"kind"`
		Detail string `expr:"detail"`
	}

	captureEnv struct {
		Time    time.Time    `expr:"time"`
		Capture captureFacts `expr:"capture"`
	}
	captureFacts struct {
		Source    string `expr:"source"`
		Packets   int    `expr:"packets"`
		Dropped   int    `expr:"dropped"`
		Bytes     int    `expr:"bytes"`
		LostBytes int    `expr:"lost_bytes"`
	}

	sessionEnv struct {
		ConnFacts
		Duration      float64        `expr:"duration"`
		End           string         `expr:"end"`
		Banner        bannerFacts    `expr:"banner"`
		Helo          heloFacts      `expr:"helo"`
		Extensions    []string       `expr:"extensions"`
		TLS           tlsFacts       `expr:"tls"`
		Auth          []authFacts    `expr:"auth"`
		Mails         []mailFacts    `expr:"mails"`
		Commands      map[string]int `expr:"commands"`
		Replies       map[string]int `expr:"replies"`
		Anomalies     []string       `expr:"anomalies"`
		Bytes         sidesFacts     `expr:"bytes"`
		Packets       sidesFacts     `expr:"packets"`
		Lost          sidesFacts     `expr:"lost"`
		Retransmitted sidesFacts     `expr:"retransmitted"`
		Partial       bool           `expr:"partial"`
	}
	bannerFacts struct {
		Code  int     `expr:"code"`
		Text  string  `expr:"text"`
		Delay float64 `expr:"delay"`
	}
	heloFacts struct {
		Verb string `expr:"verb"`
		Name string `expr:"name"`
	}
	sidesFacts struct {
		Client int `expr:"client"`
		Server int `expr:"server"`
	}
)
