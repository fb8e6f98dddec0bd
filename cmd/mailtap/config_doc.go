package main

import (
	_ "embed"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// defaultFile is the whole default with its explanations: what config print
// shows, and where the help of the flags comes from.
//
//go:embed default.yaml
var defaultFile string

// unset matches a key that the default leaves out: a # without a blank.
var unset = regexp.MustCompile(`(?m)^( *)#([a-z])`)

// everyKey is the default file with the keys that it leaves out set to their
// examples.
func everyKey() string { return unset.ReplaceAllString(defaultFile, "$1$2") }

// descriptions gives the explanation of each key, in one line.
func descriptions() map[string]string {
	docs := make(map[string]string)
	root, err := parse([]byte(everyKey()))
	if err != nil {
		panic("default.yaml: " + err.Error()) // a test loads it
	}
	describe(root, "", docs)
	return docs
}

func describe(n *yaml.Node, key string, docs map[string]string) {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		path := strings.TrimPrefix(key+"."+n.Content[i].Value, ".")
		lines := strings.Split(n.Content[i].HeadComment, "\n")
		for j, line := range lines {
			lines[j] = strings.TrimSpace(strings.TrimPrefix(line, "#"))
		}
		docs[path] = strings.Join(lines, " ")
		describe(n.Content[i+1], path, docs)
	}
}
