#!/usr/bin/env bash
# Measures live capture: a generated capture is sent into one end of a pair of
# virtual interfaces, from the first processor, as fast as it goes; `mailtap run`
# watches the other end on the second one, with all rules, metrics and records.
# What it prints: the sender's rate, packets lost, CPU time a packet, and whether
# all accepted mails of the capture were told. Needs root, in a network
# namespace of its own; no packet leaves the machine.
#   .ci/live-bench.sh                  mixed and small, some two minutes
#   .ci/live-bench.sh mixed            one of them
#   .ci/live-bench.sh FILE.pcap...     captures of yours
# LIVE_RUNS (3): how often, in turn. LIVE_PASSES (5): how often the capture is sent in a
# run. LIVE_RATE (0): packets a second, 0 as fast as it goes. LIVE_METHOD
# (ring), LIVE_BUFFER (64MiB), LIVE_SIZE (300MiB): of a generated capture.
# LIVE_SEND_CPU (0), LIVE_READ_CPU (1): processors. LIVE_REALTIME=1: before all
# other work of the machine, where there is some. LIVE_ARGS: more flags of mailtap run.
# LIVE_DIR: where captures go, and stay; else a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=../shared/bench

[ "$(id -u)" -eq 0 ] || { echo "needs root, for a network namespace" >&2; exit 1; }
for tool in python3 ip taskset; do
  command -v "$tool" >/dev/null || { echo "$tool is missing. Install it: .ci/install.sh test" >&2; exit 1; }
done

if [ -n "${LIVE_DIR:-}" ]; then
  dir=$LIVE_DIR
  mkdir -p "$dir"
else
  dir=$(mktemp -d)
fi
space=mailtap-live-$$
cleanup() {
  ip netns del "$space" 2>/dev/null || true
  [ -n "${LIVE_DIR:-}" ] || rm -rf "$dir"
}
trap cleanup EXIT

go build -o "$dir/replay" ./.ci/replay
go build -trimpath -o "$dir/mailtap" ./cmd/mailtap

size=${LIVE_SIZE:-300MiB}
captures=()
for name in "${@:-mixed small}"; do
  for what in $name; do # the default is two words
    case $what in
    mixed) flags=(-size "$size" -vlan 0 -qinq 0 -concurrent 2000 -seed 11) ;;
    small) flags=(-profile small -size "$size" -concurrent 5000 -seed 12) ;;
    *)
      captures+=("$what")
      continue
      ;;
    esac
    [ -d "$shared/gen" ] || { echo "$shared is not there: no generator" >&2; exit 1; }
    if [ "$(cat "$dir/$what.flags" 2>/dev/null)" != "${flags[*]}" ]; then
      (cd "$shared/gen" && go run . -o "$dir/$what.pcap" -truth "$dir/$what.json" "${flags[@]}")
      echo "${flags[*]}" >"$dir/$what.flags"
    fi
    captures+=("$dir/$what.pcap")
  done
done

ip netns add "$space"
ip -n "$space" link set lo up
ip -n "$space" link add tx0 type veth peer name rx0
for end in rx0 tx0; do
  ip -n "$space" link set "$end" addrgenmode none mtu 65535 up # frames of offloading pass too
done
ip netns exec "$space" python3 -B .ci/live-bench.py "$dir/mailtap" "$dir/replay" "${captures[@]}"
