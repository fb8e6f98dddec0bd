package alerts

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// What is remembered is what the pattern says, whoever asks and however often texts
// take each other's place.
func TestMatcherSaysWhatItsPatternSays(t *testing.T) {
	pattern := regexp.MustCompile("(^|-)(NULL|RC4|3?DES)(-|$)")
	m := newMatcher(pattern)
	var texts []string
	for i := range 300 {
		texts = append(texts, fmt.Sprintf("ECDHE-%d-RC4-SHA", i), fmt.Sprintf("ECDHE-%d-AES", i), strings.Repeat("x", i)+"-NULL")
	}
	var all sync.WaitGroup
	for from := range 4 {
		all.Go(func() {
			for round := range 3 {
				for i := range texts {
					text := texts[(i*7+from+round)%len(texts)]
					if got := m.match(text); got != pattern.MatchString(text) {
						t.Errorf("%q: %v", text, got)
					}
				}
			}
		})
	}
	all.Wait()
	if again := testing.AllocsPerRun(100, func() { m.match("ECDHE-1-AES") }); again > 0 {
		t.Errorf("%.0f allocations for a text that is remembered", again)
	}
}
