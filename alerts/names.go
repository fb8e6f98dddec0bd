package alerts

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// explain tells in the words of the language what an expression asks for that an
// event does not have, and what there is instead.
func explain(k kind, message string) string {
	env := reflect.TypeOf(newEnv(k)).Elem()
	if m := regexp.MustCompile(`type \*?alerts\.(\w+) has no field (\S+)`).FindStringSubmatch(message); m != nil {
		message = "unknown field " + m[2]
		if t := typeNamed(env, m[1]); t != nil {
			message += "; allowed: " + strings.Join(namesOf(t), ", ")
		}
		return message
	}
	if regexp.MustCompile(`^unknown name \w+$`).MatchString(message) {
		message += "; an event of the kind " + kindNames[k] + " has " + strings.Join(namesOf(env), ", ")
	}
	return message
}

// namesOf are the names by which expressions call the fields of a type, sorted.
func namesOf(t reflect.Type) (out []string) {
	for i := range t.NumField() {
		if f := t.Field(i); f.Anonymous {
			out = append(out, namesOf(f.Type)...)
		} else {
			out = append(out, f.Tag.Get("expr"))
		}
	}
	slices.Sort(out)
	return out
}

// typeNamed finds a type of facts among the fields of another, at any depth.
func typeNamed(t reflect.Type, name string) reflect.Type {
	for t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || !strings.HasSuffix(t.Name(), "Facts") && !strings.HasSuffix(t.Name(), "Env") {
		return nil
	}
	if t.Name() == name {
		return t
	}
	for i := range t.NumField() {
		if found := typeNamed(t.Field(i).Type, name); found != nil {
			return found
		}
	}
	return nil
}
