#!/usr/bin/env bash
# Runs every fuzz target of the module for a while, found by themselves.
#   .ci/fuzz.sh 10s
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}

fuzz() { # PACKAGE TARGET
  local out
  echo "fuzz $1 $2 for $time"
  if out=$(go test "$1" -run '^$' -fuzz "^$2\$" -fuzztime "$time" -timeout 10m 2>&1); then
    return 0
  fi
  # The end of the time may come while a worker answers; go test then fails with
  # these words alone and writes no input that fails.
  if grep -q 'context deadline exceeded' <<<"$out" && ! grep -q 'Failing input\|panic\|hung or terminated' <<<"$out"; then
    echo "  ended by its time"
    return 0
  fi
  printf '%s\n' "$out"
  return 1
}

targets=0
for package in $(go list ./...); do
  for target in $(go test "$package" -list '^Fuzz' | grep '^Fuzz' || true); do
    fuzz "$package" "$target"
    targets=$((targets + 1))
  done
done
echo "$targets fuzz targets ran for $time each"
[ "$targets" -gt 0 ]
