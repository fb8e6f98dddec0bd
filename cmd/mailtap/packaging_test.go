package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The configurations that packaging ships are valid ones.
func TestPackagedConfigurations(t *testing.T) {
	t.Setenv("MAILTAP_ARGS", "--interface eth1") // of the unit: no setting, and no near miss of one
	service, err := exec.Command("sed", "-f", "../../packaging/config.sed", "default.yaml").Output()
	if err != nil {
		t.Fatal(err)
	}
	compose, err := os.ReadFile("../../packaging/compose/mailtap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"service": string(service), "compose": string(compose), "kubernetes": configMap(t)} {
		if status, _, stderr := call("", "config", "check", "--config", writeTemp(t, text)); status != 0 {
			t.Errorf("%s: %s", name, stderr)
		}
	}
}

// configMap is mailtap.yaml of the example for Kubernetes.
func configMap(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../packaging/kubernetes/mailtap.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		var object struct {
			Kind string
			Data map[string]string
		}
		if err := yaml.Unmarshal([]byte(document), &object); err != nil {
			t.Fatal(err)
		}
		if object.Kind == "ConfigMap" && object.Data["mailtap.yaml"] != "" {
			return object.Data["mailtap.yaml"]
		}
	}
	t.Fatal("no ConfigMap with mailtap.yaml")
	return ""
}
