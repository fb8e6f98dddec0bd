package alerts

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// Defaults of a spike.
const (
	spikeFactor     = 3
	spikeDeviations = 6
	spikeLearn      = 10
	spikeWindow     = time.Minute
)

// fireKeys says which keys each way to fire has, and which it needs.
var fireKeys = map[string]struct{ may, must []string }{
	fireEach:     {may: []string{"window"}},
	fireCount:    {may: []string{"threshold", "window", "forgive"}, must: []string{"threshold", "window"}},
	fireDistinct: {may: []string{"field", "threshold", "window", "forgive"}, must: []string{"field", "threshold", "window"}},
	fireSpike:    {may: []string{"floor", "window", "limit", "factor", "deviations", "learn"}, must: []string{"floor", "limit"}},
	fireRatio:    {may: []string{"of", "threshold", "window", "least"}, must: []string{"of", "threshold", "window"}},
	fireAfter:    {may: []string{"when", "by", "threshold", "window", "forgive"}, must: []string{"when", "by", "threshold", "window"}},
	fireUnlike:   {may: []string{"when", "by", "other", "least", "times", "window"}, must: []string{"when", "by", "other", "window"}},
	fireLasting:  {may: []string{"until", "by", "longer", "window"}, must: []string{"by", "longer", "window"}},
}

const fireList = "each, count, distinct, ratio, spike, after, unlike, lasting"

// fire reads `each` or `{count: {…}}`.
func (r *reader) fire(n *yaml.Node, f *fire) error {
	if n.Kind == yaml.ScalarNode && n.Value == fireEach {
		*f = fire{how: fireEach}
		return nil
	}
	if n.Kind != yaml.MappingNode || len(n.Content) != 2 {
		return r.errorf(n, "fire must be each, or one of %s with its settings", fireList)
	}
	how, body := n.Content[0].Value, n.Content[1]
	rules, ok := fireKeys[how]
	if !ok {
		return r.errorf(n.Content[0], "unknown way to fire %q; allowed: %s", Clip(how), fireList)
	}
	*f = fire{how: how, at: r.position(n.Content[0])}
	if how == fireSpike {
		f.factor, f.deviations, f.learn, f.window = spikeFactor, spikeDeviations, spikeLearn, spikeWindow
	}
	f.least, f.times = 1, 1
	if how == fireRatio {
		f.least = ratioLeast
	}
	all, keys := r.fireTable(f), table{}
	for _, k := range rules.may {
		keys[k] = all[k]
	}
	if err := r.mapping(body, how, keys); err != nil {
		return err
	}
	for _, k := range rules.must {
		if valueOf(body, k) == nil {
			return r.errorf(body, "%s has no %s", how, k)
		}
	}
	return nil
}

func (r *reader) fireTable(f *fire) table {
	return table{
		"window":     func(n *yaml.Node) error { return r.duration(n, "window", &f.window) },
		"threshold":  func(n *yaml.Node) error { return r.threshold(n, f) },
		"of":         func(n *yaml.Node) error { return r.source(n, "of", &f.when) },
		"least":      func(n *yaml.Node) error { return r.integer(n, "least", 1, f.mostLeast(), &f.least) },
		"times":      func(n *yaml.Node) error { return r.integer(n, "times", 1, MaxThreshold, &f.times) },
		"until":      func(n *yaml.Node) error { return r.source(n, "until", &f.when) },
		"longer":     func(n *yaml.Node) error { return r.duration(n, "longer", &f.longer) },
		"field":      func(n *yaml.Node) error { return r.some(n, "field", &f.field) },
		"when":       func(n *yaml.Node) error { return r.source(n, "when", &f.when) },
		"by":         func(n *yaml.Node) error { return r.sources(n, "by", &f.by) },
		"other":      func(n *yaml.Node) error { return r.source(n, "other", &f.other) },
		"floor":      func(n *yaml.Node) error { return r.float(n, "floor", &f.floor) },
		"limit":      func(n *yaml.Node) error { return r.float(n, "limit", &f.limit) },
		"factor":     func(n *yaml.Node) error { return r.float(n, "factor", &f.factor) },
		"deviations": func(n *yaml.Node) error { return r.float(n, "deviations", &f.deviations) },
		"learn":      func(n *yaml.Node) error { return r.integer(n, "learn", 2, 1000, &f.learn) },
		"forgive":    func(n *yaml.Node) error { return r.forgive(n, f) },
	}
}

// ratioLeast is how many events there must be, where a ratio does not say.
const ratioLeast = 20

// mostLeast is the highest that `least` can be: of a ratio it counts events, of
// unlike other clients, each of which is remembered.
func (f *fire) mostLeast() int {
	if f.how == fireRatio {
		return 1_000_000_000
	}
	return maxLeast
}

func (r *reader) threshold(n *yaml.Node, f *fire) error {
	if f.how != fireRatio {
		return r.integer(n, "threshold", 1, MaxThreshold, &f.threshold)
	}
	if err := r.float(n, "threshold", &f.share); err != nil || f.share > 1 {
		return r.errorf(n, "threshold of a ratio must be a number above 0, at most 1")
	}
	return nil
}

// inhibits reads the rules that an alert keeps from receivers. Whether they are
// there is seen when all rule files were read (Merge).
func (r *reader) inhibits(n *yaml.Node, rule *Rule) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 || len(n.Content) > 16 {
		return r.errorf(n, "inhibits must be a list of 1 to 16 entries {rule, equal}")
	}
	for _, item := range n.Content {
		in := inhibition{at: r.position(item)}
		err := r.mapping(item, "inhibits", table{
			"rule":  func(n *yaml.Node) (err error) { in.rule, err = r.text(n, "rule"); return },
			"equal": func(n *yaml.Node) error { return r.texts(n, "equal", &in.equal) },
		})
		switch {
		case err != nil:
			return err
		case in.rule == "" || len(in.equal) == 0:
			return r.errorf(item, "inhibits needs rule, and equal with at least one label")
		case in.rule == rule.Name || in.rule == r.rule:
			return r.errorf(item, "inhibits: a rule cannot inhibit itself")
		}
		rule.inhibits = append(rule.inhibits, in)
	}
	return nil
}

func (r *reader) forgive(n *yaml.Node, f *fire) error {
	err := r.mapping(n, "forgive", table{
		"when": func(n *yaml.Node) error { return r.source(n, "when", &f.forgive) },
		"by":   func(n *yaml.Node) error { return r.sources(n, "by", &f.forgiveBy) },
	})
	if err == nil && f.forgive.text == "" {
		return r.errorf(n, "forgive has no when")
	}
	return err
}
