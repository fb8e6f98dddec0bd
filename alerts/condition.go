package alerts

import (
	"github.com/expr-lang/expr/vm"

	"github.com/mailtap/mailtap/sessions"
)

// condition is a compiled `when` with its answer for the event at hand.
type condition struct {
	native  truth       // nil: run the program
	guard   truth       // where it does not hold, nor does the program; nil: nothing is known
	steady  truth       // as guard, whatever is learned; nil: nothing is known
	reply   truth       // of a command: as guard, by its verb and code alone
	program *vm.Program // nil: always true
	event   uint64      // number of the event that answer belongs to
	answer  bool
}

// holds answers a condition for the event at hand, once.
func (e *Engine) holds(t *runningTrigger, c *condition) bool {
	if c == nil {
		return false
	}
	if c.program == nil {
		return true
	}
	if c.event != e.event {
		c.event = e.event
		c.answer = e.test(t, c)
	}
	return c.answer
}

func (e *Engine) test(t *runningTrigger, c *condition) bool {
	switch {
	case c.native != nil:
		return c.native(e.view)
	case c.guard != nil && !c.guard(e.view):
		return false
	}
	v, err := e.vm.Run(c.program, e.facts.env(t.kind))
	if err != nil {
		t.rule.stats.Errors++
		return false
	}
	answer, _ := v.(bool)
	return answer
}

// possible says whether a condition may hold for an event. It changes nothing.
func (c *condition) possible(v view) bool {
	return c.steady == nil || c.steady(v)
}

// interest is what the triggers of a kind together can care about.
type interest struct {
	always     bool // in every event
	conditions []*condition
}

func (i *interest) add(t *runningTrigger) {
	for _, c := range []*condition{t.when, t.also, t.forgive} {
		if c == nil {
			continue
		}
		if c.steady == nil {
			i.always = true
		}
		i.conditions = append(i.conditions, c)
	}
}

func (i *interest) in(v view) bool {
	if i.always {
		return true
	}
	for _, c := range i.conditions {
		if c.possible(v) {
			return true
		}
	}
	return false
}

// Wants says whether some rule can care about an event: where it is false,
// Handle does no more with the event than Advance does with its time. It
// depends on the rules alone, changes nothing, and may be called by any number
// of goroutines while another one uses the engine: so events can be dropped
// before they are passed on. Advance must then still be told of packet time,
// from the first packet on.
func (e *Engine) Wants(ev sessions.Event) bool {
	if r, ok := ev.(*sessions.Replied); ok && !e.replies.may(r) {
		return false
	}
	if k, ok := kindOf(ev); ok && e.interests[k].in(view{event: ev}) {
		return true
	}
	return e.teaches(ev)
}
