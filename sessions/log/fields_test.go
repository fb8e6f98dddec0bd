package log

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// What the schemas say of the fields that we write, in short: the path, its
// type, and what it must be. A field that is not here is a mistake, unless it
// stands in an object that the schema leaves to us.

type fieldTable struct {
	own      []string            // objects that are ours to fill
	required map[string][]string // by kind of event
	types    map[string]string
	kind     func(map[string]any) string
}

var eveFields = fieldTable{
	own: []string{"mailtap"},
	required: map[string][]string{
		"smtp": {"timestamp", "event_type", "proto", "flow_id"},
		"tls":  {"timestamp", "event_type", "proto", "flow_id", "tls.version"},
	},
	types: map[string]string{
		"timestamp": "eve time", "flow_id": "int", "event_type": "string", "vlan[]": "int", "src_ip": "ip", "src_port": "int", "dest_ip": "ip",
		"dest_port": "int", "proto": "string", "ip_v": "int", "community_id": "string", "host": "string", "tx_id": "int",
		"smtp.helo": "string", "smtp.mail_from": "string", "smtp.rcpt_to[]": "string",
		"email.status": "string", "email.from": "string", "email.to[]": "string", "email.cc[]": "string", "email.subject": "string",
		"email.message_id": "string", "email.date": "string", "email.reply_to": "string", "email.in_reply_to": "string", "email.user_agent": "string",
		"email.x_originating_ip": "string", "email.received[]": "string", "email.attachment[]": "string",
		"tls.subject": "string", "tls.issuerdn": "string", "tls.serial": "string", "tls.notbefore": "string", "tls.notafter": "string",
		"tls.subjectaltname[]": "string", "tls.sni": "string", "tls.version": "string", "tls.session_resumed": "bool", "tls.from_proto": "string",
		"tls.ja3.hash": "string", "tls.ja3s.hash": "string", "tls.ja4": "string",
	},
	kind: func(v map[string]any) string { return fmt.Sprint(v["event_type"]) },
}

var ecsFields = fieldTable{
	own:      []string{"mailtap", "smtp"},
	required: map[string][]string{"email": ecsAlways, "authentication": ecsAlways, "network": ecsAlways, "intrusion_detection": ecsAlways},
	types: map[string]string{
		"@timestamp": "date", "message": "string", "ecs.version": "string",
		"event.kind": "string", "event.category[]": "string", "event.type[]": "string", "event.action": "string", "event.outcome": "string",
		"event.module": "string", "event.dataset": "string", "event.start": "date", "event.end": "date", "event.duration": "int", "event.severity": "int",
		"observer.type": "string", "observer.vendor": "string", "observer.product": "string", "observer.name": "string", "observer.version": "string",
		"source.address": "string", "source.ip": "ip", "source.port": "int", "source.bytes": "int", "source.packets": "int",
		"destination.address": "string", "destination.ip": "ip", "destination.port": "int", "destination.bytes": "int", "destination.packets": "int",
		"destination.domain": "string", "network.transport": "string", "network.type": "string", "network.protocol": "string",
		"network.community_id": "string", "network.direction": "string", "network.bytes": "int", "network.packets": "int", "network.vlan.id": "string",
		"network.inner.vlan.id": "string", "email.from.address[]": "string", "email.to.address[]": "string", "email.cc.address[]": "string",
		"email.reply_to.address[]": "string", "email.sender.address": "string", "email.subject": "string", "email.message_id": "string",
		"email.local_id": "string", "email.x_mailer": "string", "email.direction": "string", "email.origination_timestamp": "date",
		"email.attachments[].file.name": "string", "email.attachments[].file.extension": "string", "email.attachments[].file.mime_type": "string",
		"email.attachments[].file.size": "int", "email.attachments[].file.hash.sha256": "string", "error.code": "string", "error.message": "string",
		"user.name": "string", "user.domain": "string", "related.ip[]": "ip", "related.user[]": "string", "related.hash[]": "string",
		"tls.version": "string", "tls.version_protocol": "string", "tls.cipher": "string", "tls.established": "bool", "tls.resumed": "bool",
		"tls.next_protocol": "string", "tls.client.ja3": "string", "tls.client.server_name": "string", "tls.server.ja3s": "string",
		"tls.client.subject": "string", "tls.client.issuer": "string", "tls.client.not_before": "date", "tls.client.not_after": "date",
		"tls.client.hash.sha256": "string", "tls.client.x509.serial_number": "string", "tls.client.x509.alternative_names[]": "string",
		"tls.client.x509.signature_algorithm": "string", "tls.server.subject": "string", "tls.server.issuer": "string",
		"tls.server.not_before": "date", "tls.server.not_after": "date", "tls.server.hash.sha256": "string", "tls.server.x509.serial_number": "string",
		"tls.server.x509.alternative_names[]": "string", "tls.server.x509.signature_algorithm": "string",
		"rule.name": "string", "rule.reference": "string", "threat.framework": "string", "threat.technique.id[]": "string",
	},
	kind: func(v map[string]any) string { return fmt.Sprint(at(v, "event.category").([]any)[0]) },
}

var ecsAlways = []string{"@timestamp", "ecs.version", "event.kind", "event.category", "event.type", "event.dataset"}

var ocsfFields = fieldTable{
	own: []string{"unmapped"},
	required: map[string][]string{
		"4009": append([]string{"direction_id", "email.from", "email.to"}, ocsfAlways...),
		"3002": append([]string{"user.name", "service.name"}, ocsfAlways...),
		"4001": ocsfAlways,
		"2004": append([]string{"finding_info.uid", "finding_info.title"}, ocsfAlways...),
	},
	types: map[string]string{
		"class_uid": "int", "class_name": "string", "category_uid": "int", "category_name": "string", "activity_id": "int", "activity_name": "string",
		"type_uid": "int", "type_name": "string", "severity_id": "int", "severity": "string", "status_id": "int", "status": "string",
		"status_code": "string", "status_detail": "string", "time": "int", "start_time": "int", "end_time": "int", "duration": "int", "message": "string",
		"metadata.version": "string", "metadata.product.name": "string", "metadata.product.vendor_name": "string", "metadata.product.version": "string",
		"metadata.log_provider": "string", "metadata.correlation_uid": "string", "direction_id": "int", "direction": "string",
		"src_endpoint.ip": "ip", "src_endpoint.port": "int", "dst_endpoint.ip": "ip", "dst_endpoint.port": "int", "dst_endpoint.name": "string",
		"smtp_hello": "string", "protocol_name": "string", "email.from": "string", "email.to[]": "string", "email.smtp_from": "string",
		"email.smtp_to[]": "string", "email.cc[]": "string", "email.reply_to": "string", "email.subject": "string", "email.message_uid": "string",
		"email.uid": "string", "email.size": "int", "email.x_originating_ip[]": "ip", "email.files[].name": "string", "email.files[].type_id": "int",
		"email.files[].mime_type": "string", "email.files[].size": "int", "email.files[].hashes[].algorithm_id": "int",
		"email.files[].hashes[].algorithm": "string", "email.files[].hashes[].value": "string", "email_auth.spf": "string", "email_auth.dkim": "string",
		"email_auth.dmarc": "string", "email_auth.dkim_domain": "string", "user.name": "string", "user.domain": "string", "auth_protocol_id": "int",
		"auth_protocol": "string", "logon_type_id": "int", "logon_type": "string", "is_remote": "bool", "is_cleartext": "bool", "service.name": "string",
		"connection_info.direction_id": "int", "connection_info.direction": "string", "connection_info.protocol_num": "int",
		"connection_info.protocol_name": "string", "connection_info.protocol_ver_id": "int", "connection_info.community_uid": "string", "app_name": "string",
		"traffic.bytes": "int", "traffic.bytes_in": "int", "traffic.bytes_out": "int", "traffic.packets": "int", "traffic.packets_in": "int",
		"traffic.packets_out": "int", "tls.version": "string", "tls.cipher": "string", "tls.sni": "string", "tls.ja3_hash.algorithm_id": "int",
		"tls.ja3_hash.algorithm": "string", "tls.ja3_hash.value": "string", "tls.ja3s_hash.algorithm_id": "int", "tls.ja3s_hash.algorithm": "string",
		"tls.ja3s_hash.value": "string", "tls.certificate.subject": "string", "tls.certificate.issuer": "string", "tls.certificate.serial_number": "string",
		"tls.certificate.created_time": "int", "tls.certificate.expiration_time": "int", "tls.certificate.fingerprints[].algorithm_id": "int",
		"tls.certificate.fingerprints[].algorithm": "string", "tls.certificate.fingerprints[].value": "string",
		"finding_info.uid": "string", "finding_info.title": "string", "finding_info.desc": "string", "finding_info.src_url": "string",
		"finding_info.first_seen_time": "int", "finding_info.last_seen_time": "int", "finding_info.attacks[].technique.uid": "string",
		"finding_info.attacks[].sub_technique.uid": "string",
	},
	kind: func(v map[string]any) string { return fmt.Sprint(v["class_uid"]) },
}

var ocsfAlways = []string{"activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time", "metadata.version", "metadata.product.vendor_name"}

func at(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

func isA(kind string, v any) bool {
	s, isText := v.(string)
	n, isNumber := v.(json.Number)
	var err error
	switch kind {
	case "string":
		return isText
	case "ip":
		_, err = netip.ParseAddr(s)
	case "date":
		_, err = time.Parse(time.RFC3339Nano, s)
	case "eve time":
		_, err = time.Parse("2006-01-02T15:04:05.000000-0700", s)
	case "bool":
		_, ok := v.(bool)
		return ok
	case "int":
		_, err = strconv.ParseInt(string(n), 10, 64)
		return isNumber && err == nil
	}
	return isText && err == nil
}

// walk gives each value with its path.
func walk(path string, v any, visit func(path string, v any)) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			walk(strings.TrimPrefix(path+"."+name, "."), x, visit)
		}
	case []any:
		for _, x := range v {
			walk(path+"[]", x, visit)
		}
	default:
		visit(path, v)
	}
}

func TestFormatsKeepToTheirSchemas(t *testing.T) {
	for format, table := range map[string]fieldTable{FormatEVE: eveFields, FormatECS: ecsFields, FormatOCSF: ocsfFields} {
		text, err := os.ReadFile("testdata/formats/" + format + ".golden")
		if err != nil {
			t.Fatal(err)
		}
		kinds, used := map[string]int{}, map[string]bool{}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "== ") {
				continue
			}
			var v map[string]any
			d := json.NewDecoder(strings.NewReader(line))
			d.UseNumber()
			if err := d.Decode(&v); err != nil {
				t.Fatalf("%s: %v: %s", format, err, line)
			}
			kind := table.kind(v)
			kinds[kind]++
			for _, path := range table.required[kind] {
				if at(v, path) == nil {
					t.Errorf("%s: %s has no %s: %s", format, kind, path, line)
				}
			}
			walk("", v, func(path string, x any) {
				if slices.ContainsFunc(table.own, func(o string) bool { return strings.HasPrefix(path, o+".") }) && table.types[path] == "" {
					return
				}
				used[path] = true
				if want := table.types[path]; want == "" || !isA(want, x) {
					t.Errorf("%s: %s is %v, want %q", format, path, x, want)
				}
			})
			if format == FormatOCSF {
				checkOCSF(t, v)
			}
		}
		if want := slices.Sorted(maps.Keys(table.required)); !slices.Equal(slices.Sorted(maps.Keys(kinds)), want) {
			t.Errorf("%s: kinds %v, want each of %v", format, kinds, want)
		}
		for path := range table.types {
			if !used[path] && path != "email_auth.dkim" && path != "email_auth.dmarc" {
				t.Errorf("%s: %s is never written: the test does not see it", format, path)
			}
		}
	}
}

// checkOCSF holds the arithmetic of the numbers.
func checkOCSF(t *testing.T, v map[string]any) {
	t.Helper()
	number := func(name string) int64 { n, _ := v[name].(json.Number).Int64(); return n }
	if number("type_uid") != number("class_uid")*100+number("activity_id") || number("category_uid") != number("class_uid")/1000 {
		t.Errorf("numbers do not fit: %v", v)
	}
	if want := fmt.Sprintf("%v: %v", v["class_name"], v["activity_name"]); v["type_name"] != want {
		t.Errorf("type_name %v, want %s", v["type_name"], want)
	}
}
