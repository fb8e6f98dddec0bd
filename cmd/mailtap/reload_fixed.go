package main

import (
	"reflect"
	"slices"
	"strings"
)

// reloadable are the keys, or what keys begin with, that a reload changes. All
// others were decided when mailtap began: sockets, memory, shards, folders.
var reloadable = []string{
	"home.", "servers", "log.level", "log.records.", "loki.", "syslog.", "alerts.receivers", "alerts.rules.", "alerts.privacy", "alerts.evidence.despite_privacy", "privacy.", "web.privacy", "stop_timeout",
}

func isReloadable(key string) bool {
	return slices.ContainsFunc(reloadable, func(r string) bool {
		return key == r || strings.HasSuffix(r, ".") && strings.HasPrefix(key, r)
	})
}

// keepFixed puts the running values back where a reload cannot change them, and
// names the keys that differ.
func (c *Config) keepFixed(running *Config) (differ []string) {
	for _, s := range settings() {
		if isReloadable(s.key()) {
			continue
		}
		now, next := valueAt(reflect.ValueOf(running).Elem(), s.path), valueAt(reflect.ValueOf(c).Elem(), s.path)
		if !reflect.DeepEqual(now.Interface(), next.Interface()) {
			differ = append(differ, s.key())
			next.Set(now)
		}
	}
	return differ
}

// valueAt finds the value of a key.
func valueAt(v reflect.Value, path []string) reflect.Value {
	for _, key := range path {
		f, ok := fieldOf(v.Type(), key)
		if !ok {
			panic("no key " + strings.Join(path, ".")) // settings made the path of the same types
		}
		v = v.FieldByName(f.Name)
	}
	return v
}
