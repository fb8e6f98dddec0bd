package main

import (
	"strings"
	"testing"
	"testing/fstest"
)

// The limits of control groups, as the kernel shows them.
func TestControlGroupLimit(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64 // 0: none
	}{
		"none":      {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n"}, 0},
		"version 2": {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "300000000\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 300_000_000},
		"above":     {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "300000000\n", "sys/fs/cgroup/a/memory.max": "200000000\n"}, 200_000_000},
		"container": {map[string]string{"proc/self/cgroup": "0::/out/of/sight\n", "sys/fs/cgroup/memory.max": "100000000\n"}, 100_000_000},
		"version 1": {map[string]string{"proc/self/cgroup": "5:devices:/\n4:cpu,memory:/a\n0::/\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "400000000\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 400_000_000},
		"no Linux": {nil, 0},
	} {
		root := fstest.MapFS{}
		for path, text := range c.files {
			root[path] = &fstest.MapFile{Data: []byte(text)}
		}
		if got, ok := controlGroupLimit(root); got != c.want || ok != (c.want > 0) {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

// A limit that is smaller than all that may be held takes from the connections.
func TestMemoryFitsUnderALimit(t *testing.T) {
	cfg := Default()
	all := cfg.heap()
	if text := cfg.fit(ceiling{all, "GOMEMLIMIT"}); text != "" || cfg.Memory != 512<<20 {
		t.Errorf("with room enough: %d, %q", cfg.Memory, text)
	}
	text := cfg.fit(ceiling{all - 200<<20, "GOMEMLIMIT"})
	if cfg.Memory != 312<<20 || cfg.heap() != all-200<<20 || text != "memory is 312 MiB instead of 512 MiB: all together would be more than GOMEMLIMIT allows" {
		t.Errorf("%d, %q", cfg.Memory, text)
	}
	if text := cfg.fit(ceiling{1 << 20, "GOMEMLIMIT"}); cfg.Memory != leastMemory || !strings.Contains(text, "too much") {
		t.Errorf("%d, %q", cfg.Memory, text)
	}
	cfg.Memory = 8 << 20 // less than the least is left as it is
	if cfg.fit(ceiling{1 << 20, "GOMEMLIMIT"}); cfg.Memory != 8<<20 {
		t.Error(cfg.Memory)
	}
}

// Each queue that an operator can make larger is a part of the sum.
func TestQueuesAreInTheBudget(t *testing.T) {
	for name, larger := range map[string]func(*Config){
		"memory":                 func(c *Config) { c.Memory += 1 << 30 },
		"metrics.deferred.pairs": func(c *Config) { c.Metrics.Deferred.Pairs += 10 << 20 },
		"alerts.evidence.memory": func(c *Config) { c.Alerts.Evidence.Directory, c.Alerts.Evidence.Memory = "e", 1<<30 },
		"log.records.queue_size": func(c *Config) { c.Log.Records.QueueSize += 1 << 30 },
		"loki.queue_size":        func(c *Config) { c.Loki.URL, c.Loki.QueueSize = "http://127.0.0.1", 1<<30 },
		"loki.batch_size":        func(c *Config) { c.Loki.URL, c.Loki.BatchSize = "http://127.0.0.1", 256<<20 },
		"syslog.queue_size":      func(c *Config) { c.Syslog.URL, c.Syslog.QueueSize = "udp://127.0.0.1", 1<<30 },
	} {
		cfg := Default()
		before := cfg.heap()
		if larger(&cfg); cfg.heap()-before < 1<<30 {
			t.Errorf("%s: %d more", name, cfg.heap()-before)
		}
	}
}
