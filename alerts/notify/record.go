package notify

import (
	"encoding/json"
	"strconv"

	"github.com/mailtap/mailtap/alerts"
)

// record is an alert as the outbox keeps it, in JSON.
type record struct {
	ID    uint64       `json:"id"`
	To    []string     `json:"to,omitempty"`    // receivers that lack it
	Since int64        `json:"since,omitempty"` // when it came, seconds since the Unix epoch by the wall clock; 0 where unknown
	Alert alerts.Alert `json:"alert"`
}

// encodeRecord gives the record, and the alert in it. The alert is encoded
// once: the caller waits.
func encodeRecord(id uint64, to []string, since int64, a *alerts.Alert) (whole, alert []byte, err error) {
	if alert, err = json.Marshal(a); err != nil {
		return nil, nil, err
	}
	whole = append(make([]byte, 0, len(alert)+64), `{"id":`...)
	whole = strconv.AppendUint(whole, id, 10)
	if len(to) > 0 {
		names, err := json.Marshal(to)
		if err != nil {
			return nil, nil, err
		}
		whole = append(append(whole, `,"to":`...), names...)
	}
	if since > 0 {
		whole = strconv.AppendInt(append(whole, `,"since":`...), since, 10)
	}
	whole = append(whole, `,"alert":`...)
	at := len(whole)
	whole = append(append(whole, alert...), '}')
	return whole, whole[at : len(whole)-1], nil
}

func decodeRecord(b []byte) (r record, ok bool) {
	err := json.Unmarshal(b, &r)
	return r, err == nil && r.ID > 0 && known(&r.Alert)
}

func decodeAlert(b []byte) (a alerts.Alert, ok bool) {
	err := json.Unmarshal(b, &a)
	return a, err == nil && known(&a)
}

// known refuses what no engine made: another program's file, or octets that
// happen to be JSON.
func known(a *alerts.Alert) bool {
	return a.Rule != "" && (a.Status == alerts.Firing || a.Status == alerts.Resolved)
}
