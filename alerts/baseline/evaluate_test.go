package baseline

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"slices"
	"strings"
	"testing"
)

// score of a detector, as the Numenta Anomaly Benchmark counts: a flood is
// found or not, whenever in its window; alarms that touch no window are false.
type score struct {
	floods, found map[int]int // by size; those of regular groups by -size too
	delays        []int       // minutes from the beginning of a flood to its alarm
	falses        map[string]*[weeks]int
	groups        int
}

func newScore() *score {
	return &score{floods: map[int]int{}, found: map[int]int{}, falses: map[string]*[weeks]int{}}
}

// calm is how long no minute may be over for the next alarm to be another one.
const calm = 10

// evaluate plays all groups side by side. An alarm begins with a minute that is
// over and ends with ten that are not.
func evaluate(d detector, groups []series, s *score) {
	s.groups += len(groups)
	type state struct{ quiet, next, found int }
	states := make([]state, len(groups))
	for i := range states {
		states[i] = state{quiet: calm, found: -1}
		for _, f := range groups[i].floods {
			count(s.floods, &groups[i], f.times)
		}
		if h := groups[i].habit; s.falses[h] == nil {
			s.falses[h] = &[weeks]int{}
		}
	}
	first := friday.Unix() / 60
	for m := range groups[0].counts {
		if hole(m) {
			continue
		}
		d.hear(first + int64(m))
		for i := range groups {
			g, st := &groups[i], &states[i]
			over := d.over(i, first+int64(m), g.counts[m])
			if !over {
				st.quiet++
				continue
			}
			began := st.quiet >= calm
			st.quiet = 0
			for st.next < len(g.floods) && g.floods[st.next].until < m {
				st.next++
			}
			if st.next < len(g.floods) && g.floods[st.next].from <= m {
				if f := g.floods[st.next]; st.found != st.next {
					st.found = st.next
					count(s.found, g, f.times)
					s.delays = append(s.delays, m-f.from)
				}
			} else if began {
				s.falses[g.habit][m/minutesOfWeek]++
			}
		}
	}
}

func count(m map[int]int, g *series, times int) {
	m[times]++
	if regular[g.habit] {
		m[-times]++
	}
}

func total(m map[int]int) (n int) {
	for times, x := range m {
		if times > 0 {
			n += x
		}
	}
	return n
}

func sumOf(all []int) (n int) {
	for _, x := range all {
		n += x
	}
	return n
}

// wrong is the number of false alarms from a week on.
func (s *score) wrong(from int) (n int) {
	for _, by := range s.falses {
		n += sumOf(by[from:])
	}
	return n
}

func (s *score) precision() float64 {
	found := total(s.found)
	return float64(found) / float64(found+s.wrong(0))
}

func (s *score) recall(times int) float64 { return float64(s.found[times]) / float64(s.floods[times]) }

func (s *score) delay(part float64) int {
	slices.Sort(s.delays)
	return s.delays[int(part*float64(len(s.delays)-1))]
}

func (s *score) falsePerWeek() float64 { return float64(s.wrong(0)) / float64(s.groups*weeks) }

func (s *score) lateFalses() float64 { return float64(s.wrong(4)) / float64(s.groups*(weeks-4)) }

// weeks of the evaluation, and the seeds of its series.
const weeks = 10

var seeds = []int64{1}

var update = flag.Bool("update", false, "write the figures into the documentation")

const page = "../../docs/baselines.md"

var rivals = []struct {
	name string
	make func() detector
}{
	{"learned", func() detector { return newLearned(mailRate) }},
	{"mean and variance of the last hour", func() detector { return &moments{o: mailRate, of: map[int]*ewma{}} }},
	{"200 a minute for all", func() detector { return fixed(200) }},
	{"1,000 a minute for all", func() detector { return fixed(1000) }},
}

// TestEvaluation plays the labelled series to each detector, and holds ours
// above bars: a flood of twenty times the busiest hour is nearly always found,
// and at once; groups that are regular raise nothing, not even in the first
// week, and hide hardly a flood of five times their rate; with the irregular ones
// there is at most one false alarm in three weeks, from the fifth week on one in
// five. The figures are those of the documentation.
func TestEvaluation(t *testing.T) {
	if testing.Short() {
		t.Skip("ten weeks of 32 groups")
	}
	if raceDetector {
		t.Skip("make test runs it without the race detector")
	}
	var figures strings.Builder
	figures.WriteString("| detector | precision | recall, flood of 2 × | 5 × | 20 × | delay, median | 95 % | false alarms a group and week | weeks 5 to 10 |\n|---|---|---|---|---|---|---|---|---|\n")
	flooded, ordinary := play(true), play(false)
	for i, rival := range rivals {
		s := flooded[i]
		fmt.Fprintf(&figures, "| %s | %.2f | %.2f | %.2f | %.2f | %d min | %d min | %.2f | %.2f |\n", rival.name, s.precision(),
			s.recall(2), s.recall(5), s.recall(20), s.delay(0.5), s.delay(0.95), s.falsePerWeek(), s.lateFalses())
		if rival.name != "learned" {
			continue
		}
		fmt.Fprintf(&figures, "| of these, the regular groups | 1.00 | %.2f | %.2f | %.2f | | | 0 | 0 |\n", s.recall(-2), s.recall(-5), s.recall(-20))
		if s.recall(-5) < 0.9 || s.recall(-20) < 1 || s.recall(20) < 0.95 || s.recall(5) < 0.6 || s.recall(2) < 0.45 || s.delay(0.5) > 0 || s.delay(0.95) > 3 || s.precision() < 0.6 {
			t.Errorf("recall %.2f %.2f %.2f, delay %d to %d, precision %.2f", s.recall(2), s.recall(5), s.recall(20), s.delay(0.5), s.delay(0.95), s.precision())
		}
	}
	figures.WriteString("\nSeries without any flood, false alarms in all (4 groups a line, 10 weeks):\n\n| group | learned, week 1 | weeks 2 to 4 | weeks 5 to 10 |")
	rule := "\n|---|---|---|---|"
	for _, rival := range rivals[1:] {
		fmt.Fprintf(&figures, " %s |", rival.name)
		rule += "---|"
	}
	figures.WriteString(rule + "\n")
	ours := ordinary[0]
	for _, h := range habits(rand.New(rand.NewSource(1)), 1) {
		by := ours.falses[h.name]
		fmt.Fprintf(&figures, "| %s | %d | %d | %d |", h.name, by[0], sumOf(by[1:4]), sumOf(by[4:]))
		for _, s := range ordinary[1:] {
			fmt.Fprintf(&figures, " %d |", sumOf(s.falses[h.name][:]))
		}
		figures.WriteString("\n")
		if n := sumOf(by[:]); regular[h.name] && n > 0 {
			t.Errorf("%s: %d false alarms", h.name, n)
		}
	}
	if ours.falsePerWeek() > 0.34 || ours.lateFalses() > 0.2 {
		t.Errorf("%.2f false alarms a group and week, %.2f from the fifth week on", ours.falsePerWeek(), ours.lateFalses())
	}
	golden(t, figures.String())
}

// regular are the habits that ordinary mail servers have: a Monday's nine
// o'clock after a silent weekend is one of their minutes.
var regular = map[string]bool{"office": true, "office, silent at night": true, "office that grows": true, "steady relay": true, "few mails": true}

// play evaluates each rival on the series of all seeds together.
func play(flooded bool) []*score {
	out := make([]*score, len(rivals))
	for i := range out {
		out[i] = newScore()
	}
	for _, seed := range seeds {
		groups := makeSeries(1000*seed, weeks, flooded)
		for i, rival := range rivals {
			evaluate(rival.make(), groups, out[i])
		}
	}
	return out
}

// golden holds the figures in the documentation against those of now.
func golden(t *testing.T, figures string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- figures of TestEvaluation -->\n\n", "\n<!-- end -->"
	head, rest, ok := strings.Cut(string(text), begin)
	old, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the figures", page)
	}
	if *update {
		if err := os.WriteFile(page, []byte(head+begin+figures+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if old != figures {
		t.Errorf("the figures are now\n%s\nrun with -update where that is meant", figures)
	}
}
