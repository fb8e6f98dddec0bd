package metrics

import (
	"regexp/syntax"
	"slices"
	"strings"
)

// maxNeedles is how many texts are worth looking for in place of a pattern.
const maxNeedles = 40

// needles are texts of which a reply in lower case has at least one where the
// pattern matches it; none: nothing is known. To look for them costs a hundredth of
// what it costs to run a pattern.
func needles(pattern string) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	return needlesOf(re.Simplify())
}

func needlesOf(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return literal(re.Rune)
	case syntax.OpCharClass:
		return letters(re.Rune)
	case syntax.OpCapture, syntax.OpPlus:
		return needlesOf(re.Sub[0])
	case syntax.OpConcat:
		var best []string
		for _, sub := range re.Sub {
			if list := needlesOf(sub); shortest(list) > shortest(best) {
				best = list
			}
		}
		return best
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			list := needlesOf(sub)
			if all = append(all, list...); len(list) == 0 || len(all) > maxNeedles {
				return nil
			}
		}
		return all
	}
	return nil
}

// literal knows ASCII only: what else is the same in another case is not asked.
func literal(runes []rune) []string {
	if slices.ContainsFunc(runes, func(r rune) bool { return r >= 0x80 }) {
		return nil
	}
	return []string{strings.ToLower(string(runes))}
}

// letters are those of a small class, given as the ends of its ranges.
func letters(ranges []rune) []string {
	var list []string
	for i := 0; i+1 < len(ranges); i += 2 {
		if ranges[i+1] >= 0x80 || ranges[i+1]-ranges[i] > maxNeedles {
			return nil
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			if letter := strings.ToLower(string(r)); !slices.Contains(list, letter) {
				list = append(list, letter)
			}
		}
	}
	return list
}

// shortest is the length of the shortest of a list, 0 where it is empty.
func shortest(list []string) int {
	n := 0
	for i, s := range list {
		if i == 0 || len(s) < n {
			n = len(s)
		}
	}
	return n
}
