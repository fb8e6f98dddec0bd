//go:build amd64 || arm64

package prefetch

import "unsafe"

//go:noescape
func each(at []unsafe.Pointer, lines int)
