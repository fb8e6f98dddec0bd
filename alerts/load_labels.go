package alerts

import (
	"slices"
	"sort"

	"go.yaml.in/yaml/v3"
)

// groupBy reads one expression, a list of them, or a mapping that names the
// labels: {client_ip: source.ip}.
func (r *reader) groupBy(n *yaml.Node, t *trigger) error {
	t.named = nil
	if n.Kind != yaml.MappingNode {
		return r.sources(n, "group_by", &t.groupBy)
	}
	t.groupBy = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if err := r.label(key); err != nil {
			return err
		}
		if slices.Contains(t.named, key.Value) {
			return r.errorf(key, "key %q stands twice in group_by", key.Value)
		}
		var s source
		if err := r.source(n.Content[i+1], "group_by", &s); err != nil {
			return err
		}
		t.named, t.groupBy = append(t.named, key.Value), append(t.groupBy, s)
	}
	return nil
}

// label refuses what receivers cannot take for a label's name.
func (r *reader) label(key *yaml.Node) error {
	if !isName(key.Value, lowerLetters+"_", lowerLetters+"0123456789_") || reservedLabels[key.Value] {
		return r.errorf(key, "%q is no free label name; allowed: lower-case letters, digits and underscores, but not alertname, severity, sensor, instance, storm", Clip(key.Value))
	}
	return nil
}

// reservedLabels are written by the receivers themselves.
var reservedLabels = map[string]bool{"alertname": true, "severity": true, "sensor": true, "instance": true, stormLabel: true}

func (r *reader) labels(n *yaml.Node, rule *Rule) error {
	if n.Kind != yaml.MappingNode {
		return r.errorf(n, "labels must be a mapping (name: text)")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if err := r.label(key); err != nil {
			return err
		}
		if slices.ContainsFunc(rule.labels, func(l labelSource) bool { return l.name == key.Value }) {
			return r.errorf(key, "label %s stands twice", key.Value)
		}
		l := labelSource{name: key.Value}
		if err := r.source(n.Content[i+1], "a label", &l.text); err != nil {
			return err
		}
		rule.labels = append(rule.labels, l)
	}
	sort.Slice(rule.labels, func(i, j int) bool { return rule.labels[i].name < rule.labels[j].name })
	return nil
}
