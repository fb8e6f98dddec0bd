#!/usr/bin/env bash
# Runs every fuzz target for a time: .ci/fuzz.sh 10s
set -euo pipefail

each=${1:-10s}
targets=0
for package in $(go list ./...); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "fuzz $package $target $each"
    go test -run '^$' -fuzz "^${target}\$" -fuzztime "$each" "$package"
    targets=$((targets + 1))
  done
done
echo "$targets fuzz targets ran for $each each"
[ "$targets" -gt 0 ]
