#!/usr/bin/env bash
# Measures what a packet costs: Go benchmarks a stage, then whole processes over
# generated captures beside tcpdump, where ../shared/bench is there.
#   .ci/bench.sh                all of it, some five minutes
#   .ci/bench.sh go             the Go benchmarks alone
#   .ci/bench.sh rules          those of each built-in rule alone
#   .ci/bench.sh whole          whole processes alone
# BENCH_TIME (0.2s) and BENCH_COUNT (1) are of each Go benchmark, BENCH_ONLY is a
# pattern of them. BENCH_SCALE (1) multiplies the captures: 6 makes those that
# the generator's README names. BENCH_RUNS (3): of each process. BENCH_UPDATE=1
# writes the tables to docs/performance.md. BENCH_DIR: where captures go, and
# stay; else a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
shared=../shared/bench
scale=${BENCH_SCALE:-1}

update=()
if [ -n "${BENCH_UPDATE:-}" ]; then
  update=(--update docs/performance.md)
fi

stages() { # the table of stages behind the output, where there is Python
  if command -v python3 >/dev/null; then
    python3 -B .ci/stage-table.py --command "BENCH_TIME=${BENCH_TIME:-0.2s} BENCH_COUNT=${BENCH_COUNT:-1} .ci/bench.sh go" "${update[@]}"
  else
    cat
  fi
}

times() { awk -v a="$1" -v b="$scale" 'BEGIN { printf "%d", a * b }'; }

if [ "$what" = rules ]; then
  command -v python3 >/dev/null || { echo "python3 is missing. Install it: .ci/install.sh test"; exit 1; }
  echo "== each built-in rule alone, each for ${BENCH_TIME:-0.2s}"
  go test ./alerts -run '^$' -bench 'BenchmarkRule$' -benchmem -benchtime "${BENCH_TIME:-0.2s}" -count "${BENCH_COUNT:-1}" -timeout 60m </dev/null |
    python3 -B .ci/rule-table.py --command "BENCH_TIME=${BENCH_TIME:-0.2s} BENCH_COUNT=${BENCH_COUNT:-1} .ci/bench.sh rules" "${update[@]}"
  exit 0
fi

if [ "$what" != whole ]; then
  echo "== Go benchmarks, each for ${BENCH_TIME:-0.2s}"
  go test -run '^$' -bench "${BENCH_ONLY:-.}" -benchmem -benchtime "${BENCH_TIME:-0.2s}" -count "${BENCH_COUNT:-1}" -timeout 60m \
    ./capture/... ./decode/... ./sessions/... ./metrics ./alerts ./cmd/mailtap </dev/null |
    grep --line-buffered -v '^PASS$\|no test files\|^goos\|^goarch' |
    stages
fi
if [ "$what" = go ]; then
  exit 0
fi

echo "== whole processes"
if [ ! -f "$shared/bench.py" ]; then
  echo "$shared is not there: no generator, left out"
  exit 0
fi
if ! command -v python3 >/dev/null; then
  echo "python3 is missing, left out. Install it: .ci/install.sh test"
  exit 0
fi
command -v tcpdump >/dev/null || echo "tcpdump is missing: no figures beside it. Install it: .ci/install.sh test"

if [ -n "${BENCH_DIR:-}" ]; then
  dir=$BENCH_DIR
  mkdir -p "$dir"
else
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
fi
(cd "$shared/gen" && go build -o "$dir/smtpgen" .)
go build -trimpath -o "$dir/mailtap" ./cmd/mailtap

capture() { # NAME FLAGS...
  local name=$1
  shift
  if [ ! -f "$dir/$name.json" ] || [ "$(cat "$dir/$name.flags" 2>/dev/null)" != "$*" ]; then
    "$dir/smtpgen" -o "$dir/$name.pcap" -truth "$dir/$name.json" "$@"
    echo "$*" >"$dir/$name.flags"
  fi
}

capture mixed -size "$(times 256)MiB" -vlan 0 -qinq 0 -concurrent 2000 -seed 1
capture small -profile small -size "$(times 171)MiB" -concurrent 5000 -seed 2
capture dirty -size "$(times 86)MiB" -loss 0.001 -reorder .01 -retrans .02 -overlap .003 -midstream .02 -rst .05 -seed 3
capture many -sessions "$(times 25000)" -concurrent "$(times 25000)" -median 600 -sigma .1 -mails-mean 1.01 -noise .1 -vlan 0 -qinq 0 -seed 4
idle=$(times 1000000)
capture idle -sessions 0 -half-open "$((idle < 1000000 ? idle : 1000000))"

python3 -B .ci/bench-table.py "$dir/mailtap" "$shared" "$dir" --runs "${BENCH_RUNS:-3}" --command "BENCH_SCALE=$scale BENCH_RUNS=${BENCH_RUNS:-3} .ci/bench.sh whole" "${update[@]}"
