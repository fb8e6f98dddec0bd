// Package packaging holds what brings mailtap onto machines: the service and the
// scripts of its packages, the image, examples for compose and Kubernetes. It has
// no code but these tests, which read the files as text; .ci/package-test.sh
// builds and installs packages. cmd/mailtap's tests check the configurations.
package packaging

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func decode(t *testing.T, file string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, file)), into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

type compose struct {
	Services map[string]struct {
		Build       struct{ Context, Dockerfile string }
		Image       string
		Command     []string
		Environment map[string]string
		NetworkMode string   `yaml:"network_mode"`
		CapDrop     []string `yaml:"cap_drop"`
		CapAdd      []string `yaml:"cap_add"`
		ReadOnly    bool     `yaml:"read_only"`
		Privileged  bool
		Volumes     []string
	}
	Volumes map[string]any
}

var pinned = regexp.MustCompile(`^docker\.io/[a-z]+/[a-z]+:v?[0-9]+\.[0-9]+\.[0-9]+$`)

func TestComposeNamesWhatIsThere(t *testing.T) {
	var c compose
	decode(t, "compose/compose.yaml", &c)
	for _, name := range []string{"mailtap", "prometheus", "alertmanager", "loki", "grafana"} {
		s, ok := c.Services[name]
		if !ok {
			t.Errorf("%s is missing", name)
			continue
		}
		if s.NetworkMode != "host" || s.Privileged {
			t.Errorf("%s: network %q, privileged %v", name, s.NetworkMode, s.Privileged)
		}
		if s.Build.Context == "" && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %s has no version", name, s.Image)
		}
		for _, v := range s.Volumes {
			from, to, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(from, ".") {
				if _, ok := c.Volumes[from]; !ok {
					t.Errorf("%s: no volume %s", name, from)
				}
				continue
			}
			if _, err := os.Stat(filepath.Join("compose", from)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if !strings.HasSuffix(to, ":ro") {
				t.Errorf("%s can write %s of the source", name, from)
			}
		}
	}
	m := c.Services["mailtap"]
	if !reflect.DeepEqual(m.CapDrop, []string{"ALL"}) || !reflect.DeepEqual(m.CapAdd, []string{"NET_RAW"}) || !m.ReadOnly {
		t.Errorf("mailtap may more than watch: %+v", m)
	}
	if _, err := os.Stat(filepath.Join("compose", m.Build.Context, m.Build.Dockerfile)); err != nil {
		t.Error(err)
	}
}

// Nothing of the stack listens to others.
func TestComposeListensToThisHostOnly(t *testing.T) {
	var c compose
	decode(t, "compose/compose.yaml", &c)
	for name, port := range map[string]string{"prometheus": "9090", "alertmanager": "9093"} {
		if !slices.Contains(c.Services[name].Command, "--web.listen-address=127.0.0.1:"+port) {
			t.Errorf("%s: %v", name, c.Services[name].Command)
		}
	}
	if a := c.Services["grafana"].Environment["GF_SERVER_HTTP_ADDR"]; a != "127.0.0.1" {
		t.Errorf("grafana listens on %q", a)
	}
	var loki struct {
		Server struct {
			HTTP string `yaml:"http_listen_address"`
			GRPC string `yaml:"grpc_listen_address"`
		}
	}
	decode(t, "compose/loki.yaml", &loki)
	if loki.Server.HTTP != "127.0.0.1" || loki.Server.GRPC != "127.0.0.1" {
		t.Errorf("loki: %+v", loki)
	}
}

// Grafana finds the dashboards where the provisioning looks for them, Loki its
// rules where its configuration does.
func TestComposeMountsWhereItIsLookedFor(t *testing.T) {
	var c compose
	decode(t, "compose/compose.yaml", &c)
	var p struct {
		Providers []struct{ Options struct{ Path string } }
	}
	decode(t, "../dashboards/grafana/provisioning/dashboards/mailtap.yaml", &p)
	var loki struct {
		Ruler struct {
			Storage struct{ Local struct{ Directory string } }
		}
	}
	decode(t, "compose/loki.yaml", &loki)
	for name, mount := range map[string]string{
		"grafana": "../../dashboards/grafana:" + p.Providers[0].Options.Path + ":ro",
		"loki":    "../../dashboards/loki/mailtap.yml:" + loki.Ruler.Storage.Local.Directory + "/fake/mailtap.yml:ro",
	} {
		if !slices.Contains(c.Services[name].Volumes, mount) {
			t.Errorf("%s: %s is not mounted: %v", name, mount, c.Services[name].Volumes)
		}
	}
}

// Prometheus of the stack is ours, with an Alertmanager.
func TestPrometheusOfCompose(t *testing.T) {
	var ours, theirs map[string]any
	decode(t, "../dashboards/prometheus/prometheus.yml", &ours)
	decode(t, "compose/prometheus.yml", &theirs)
	if theirs["alerting"] == nil {
		t.Error("alerts go nowhere")
	}
	delete(theirs, "alerting")
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("they differ:\n%v\n%v", ours, theirs)
	}
	check(t, "prometheus-alertmanager", "amtool", "check-config", "compose/alertmanager.yml")
}

// check runs a program of a Debian package, where it is there.
func check(t *testing.T, pkg, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("MAILTAP_TEST_LIVE_MUST_RUN") != "" {
			t.Fatalf("needs %s: apt-get install %s", program, pkg)
		}
		t.Skipf("needs %s: .ci/install.sh test, or apt-get install %s", program, pkg)
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func TestDaemonSetMayNothingButCapture(t *testing.T) {
	var d map[string]any
	for dec := yaml.NewDecoder(strings.NewReader(read(t, "kubernetes/mailtap.yaml"))); ; {
		var object map[string]any
		if err := dec.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if object["kind"] == "DaemonSet" {
			d = object
		}
	}
	pod := at(d, "spec", "template", "spec")
	container := at(pod, "containers").([]any)[0]
	for _, want := range []struct {
		of    any
		path  string
		value any
	}{
		{pod, "hostNetwork", true},
		{pod, "hostPID", nil},
		{pod, "automountServiceAccountToken", false},
		{pod, "securityContext.runAsNonRoot", true},
		{pod, "securityContext.runAsUser", 10025},
		{pod, "securityContext.seccompProfile.type", "RuntimeDefault"},
		{container, "securityContext.privileged", false},
		{container, "securityContext.readOnlyRootFilesystem", true},
		{container, "securityContext.capabilities.drop", []any{"ALL"}},
		{container, "securityContext.capabilities.add", []any{"NET_RAW"}},
		{container, "livenessProbe.httpGet.path", "/-/healthy"},
		{container, "readinessProbe.httpGet.path", "/-/ready"},
		{container, "resources.limits.memory", "1Gi"},
		{container, "resources.requests.cpu", "250m"},
	} {
		if got := at(want.of, strings.Split(want.path, ".")...); !reflect.DeepEqual(got, want.value) {
			t.Errorf("%s is %v, want %v", want.path, got, want.value)
		}
	}
	if selector, labels := at(d, "spec", "selector", "matchLabels"), at(d, "spec", "template", "metadata", "labels"); !reflect.DeepEqual(selector, labels) {
		t.Errorf("it selects %v, its pods are %v", selector, labels)
	}
}

// at walks maps, nil where something is missing.
func at(v any, path ...string) any {
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func TestImageIsTheProgramAlone(t *testing.T) {
	text := read(t, "container/Containerfile")
	goVersion := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(read(t, "../go.mod"))[1]
	if !strings.Contains(text, "FROM --platform=$BUILDPLATFORM docker.io/library/golang:"+goVersion+" AS build\n") {
		t.Errorf("the image is not built with Go %s of go.mod", goVersion)
	}
	_, last, _ := strings.Cut(text, "\nFROM scratch\n")
	for _, line := range []string{"USER 10025:10025", `ENTRYPOINT ["/usr/bin/mailtap"]`} {
		if !strings.Contains(last, line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	if !strings.Contains(text, "CGO_ENABLED=0") || !strings.Contains(text, "setcap cap_net_raw+ep") {
		t.Error("a static program with cap_net_raw is meant")
	}
}

// exposed is the most that systemd-analyze security may say, in tenths.
const exposed = "15"

func TestUnitIsClosed(t *testing.T) {
	text := read(t, "mailtap.service")
	for _, line := range []string{
		"User=mailtap", "Type=notify", "WatchdogSec=30", "Restart=on-failure", "RestartPreventExitStatus=2",
		"AmbientCapabilities=CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW",
		"RestrictAddressFamilies=AF_PACKET AF_INET AF_INET6 AF_UNIX AF_NETLINK",
		"StateDirectory=mailtap", "LogsDirectory=mailtap", "RuntimeDirectory=mailtap", "ConfigurationDirectory=mailtap",
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the unit has no %s", line)
		}
	}
	unit, err := filepath.Abs("mailtap.service")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(check(t, "systemd", "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+exposed, unit))
}

// What the package changes of the default, and nothing else; a key that is renamed
// shows here.
func TestConfigurationOfTheService(t *testing.T) {
	before := read(t, "../cmd/mailtap/default.yaml")
	sed := exec.Command("sed", "-f", "config.sed", "../cmd/mailtap/default.yaml")
	after, err := sed.Output()
	if err != nil {
		t.Fatal(err)
	}
	var changed []string
	old := strings.Split(before, "\n")
	for i, line := range strings.Split(string(after), "\n") {
		if line != old[i] {
			changed = append(changed, line)
		}
	}
	want := []string{"    file: /var/log/mailtap/records.json", "    rotate_size: 100MiB", "state_dir: /var/lib/mailtap"}
	if !slices.Equal(changed, want) {
		t.Errorf("changed: %q, want %q", changed, want)
	}
}

// The packages name files that are there.
func TestPackagesNameWhatIsThere(t *testing.T) {
	var n struct {
		Contents []struct{ Src, Dst string }
		Scripts  map[string]string
	}
	decode(t, "nfpm.yaml", &n)
	if len(n.Contents) < 10 || len(n.Scripts) != 3 {
		t.Fatalf("%d files, %d scripts", len(n.Contents), len(n.Scripts))
	}
	var files []string
	for _, c := range n.Contents {
		files = append(files, c.Src)
	}
	for _, s := range n.Scripts {
		files = append(files, s)
	}
	for _, f := range files {
		name, ours := strings.CutPrefix(f, "packaging/")
		if !ours { // made by release.sh
			continue
		}
		if text := []byte(read(t, name)); strings.HasSuffix(name, ".sh") && !bytes.HasPrefix(text, []byte("#!/bin/sh\n")) {
			t.Errorf("%s is no script of sh", name)
		}
	}
}
