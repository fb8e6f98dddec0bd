#!/usr/bin/env bash
# Compiles for what this machine is not, tests too, as far as that goes without
# another system's C compiler: without cgo whole, with cgo the types of what uses
# libpcap. packaging/release.sh builds for Linux on amd64 and arm64.
set -euo pipefail
cd "$(dirname "$0")/.."
CGO_ENABLED=0 GOOS=darwin GOARCH=arm64 go vet ./...
CGO_ENABLED=0 go vet ./capture ./cmd/mailtap
go vet -tags manual ./cmd/mailtap
go run ./.ci/typecheck darwin arm64
