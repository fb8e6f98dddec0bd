#!/usr/bin/env bash
# Runs mailtap for long under everything at once: generated mail over a pair of
# virtual interfaces, hostile traffic beside it, a disk of records that runs full,
# Loki, a webhook and an Alertmanager that go away and come back, reloads. At the
# end no session and no alert is missing, and memory is flat. Writes soak.csv and
# soak.svg. Needs root, for a network namespace of its own; no packet leaves the machine.
#   SOAK_MINUTES=30 .ci/soak.sh
# SOAK_RATE (20000): packets a second of the mail. SOAK_SIZE (200MiB): of its capture.
# SOAK_MEMORY (128MiB): of mailtap. SOAK_DIR: where captures, soak.csv and soak.svg go,
# and stay; else a temporary folder, and soak.csv and soak.svg in this one.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=../shared/bench

[ "$(id -u)" -eq 0 ] || { echo "needs root, for a network namespace" >&2; exit 1; }
for tool in python3 ip; do
  command -v "$tool" >/dev/null || { echo "$tool is missing. Install it: .ci/install.sh test" >&2; exit 1; }
done
[ -d "$shared/gen" ] || { echo "$shared is not there: no generator" >&2; exit 1; }
out=$PWD
if [ -n "${SOAK_DIR:-}" ]; then
  dir=$(realpath -m "$SOAK_DIR")
  out=$dir
  mkdir -p "$dir"
else
  dir=$(mktemp -d)
fi
space=mailtap-soak-$$
cleanup() {
  umount "$dir/disk" 2>/dev/null || true
  ip netns del "$space" 2>/dev/null || true
  [ -n "${SOAK_DIR:-}" ] || rm -rf "$dir"
}
trap cleanup EXIT

go build -o "$dir/replay" ./.ci/replay
go build -o "$dir/takers" ./.ci/takers
go build -trimpath -o "$dir/mailtap" ./cmd/mailtap
gen() { # NAME FLAGS...
  local name=$1
  shift
  [ "$(cat "$dir/$name.flags" 2>/dev/null)" = "$*" ] && return
  (cd "$shared/gen" && go run . -o "$dir/$name.pcap" -truth "$dir/$name.json" "$@")
  echo "$*" >"$dir/$name.flags"
}
gen mail -size "${SOAK_SIZE:-200MiB}" -vlan 0 -qinq 0 -concurrent 1000 -seed 21
gen dirty -size 20MiB -vlan 0 -qinq 0 -ipv6 0 -concurrent 200 -loss 0.01 -reorder .02 -retrans .02 -overlap .01 -midstream .1 -rst .1 -seed 22

mkdir -p "$dir/disk"
mount -t tmpfs -o size=32m tmpfs "$dir/disk"
ip netns add "$space"
ip -n "$space" link set lo up
ip -n "$space" link add tx0 type veth peer name rx0
for end in rx0 tx0; do
  ip -n "$space" link set "$end" addrgenmode none mtu 65535 up # frames of offloading pass too
done
ip netns exec "$space" python3 -B .ci/soak.py "$dir" "$out"
