#!/usr/bin/env bash
# Shows that the cost of a packet stays flat: from a thousand to a million
# concurrent connections, and from a minute to an hour of traffic. Writes
# docs/growth.svg and the table in docs/performance.md.
#   .ci/growth.sh                 some minutes
#   GROWTH_FULL=1 .ci/growth.sh   to a million connections, five runs; needs 20 GiB of memory, 15 GB of disk
# GROWTH_CONNECTIONS: numbers of connections. GROWTH_SESSIONS: connections of
# each capture at least. GROWTH_SPEED: packets a second of these captures.
# GROWTH_RATE: packets a second of the hour. GROWTH_RUNS: of each process.
# GROWTH_DIR: where captures go, and stay; else a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."
shared=../shared/bench
if [ -n "${GROWTH_FULL:-}" ]; then
  connections=${GROWTH_CONNECTIONS:-1000 10000 100000 300000 1000000}
  sessions=${GROWTH_SESSIONS:-200000}
  rate=${GROWTH_RATE:-3000}
  runs=${GROWTH_RUNS:-5}
else
  connections=${GROWTH_CONNECTIONS:-1000 10000 100000}
  sessions=${GROWTH_SESSIONS:-100000}
  rate=${GROWTH_RATE:-1000}
  runs=${GROWTH_RUNS:-3}
fi
speed=${GROWTH_SPEED:-100000}

for tool in python3 tcpdump; do
  command -v "$tool" >/dev/null || { echo "$tool is missing. Install it: .ci/install.sh test" >&2; exit 1; }
done
[ -d "$shared/gen" ] || { echo "$shared is not there: no generator" >&2; exit 1; }

if [ -n "${GROWTH_DIR:-}" ]; then
  dir=$GROWTH_DIR
  mkdir -p "$dir"
else
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
fi
(cd "$shared/gen" && go build -o "$dir/smtpgen" .)
go build -o "$dir/retime" ./.ci/retime
go build -trimpath -o "$dir/mailtap" ./cmd/mailtap

# The same kind of connection in all captures: one small mail, clear or in TLS,
# nothing lost. Some 25 packets and 4 kB.
traffic() { # SESSIONS CONCURRENT
  "$dir/smtpgen" -o - -sessions "$1" -concurrent "$2" -median 400 -sigma 0 -mails-mean 1 -noise 0 -vlan 0 -qinq 0 \
    -rst 0 -retrans 0 -reorder 0 -overlap 0 -seed 5
}

have() { [ -s "$dir/$1.packets" ] && [ "$(cat "$dir/$1.flags" 2>/dev/null)" = "$2" ]; }
for n in $connections; do
  # 6 kB a connection while it is made, 5 kB while it is read, and the capture in the page cache.
  free=$(($(awk '/MemAvailable/ { print $2 }' /proc/meminfo) * 1024)) # not in awk: Debian's ends at 2 GiB
  disk=$(df --output=avail -B1 "$dir" | tail -1)
  if [ "$free" -lt $((n * 12000)) ] || [ "$disk" -lt $((n * 6000)) ]; then
    echo "$n connections: too little memory or disk, left out" >&2
    rm -f "$dir/connections-$n.packets"
    continue
  fi
  all=$((n > sessions ? n : sessions))
  have "connections-$n" "$all $n $speed" && continue
  traffic "$all" "$n" | "$dir/retime" -rate "$speed" "$dir/connections-$n.pcap" >"$dir/connections-$n.packets"
  echo "$all $n $speed" >"$dir/connections-$n.flags"
done
if ! have minutes "$rate"; then
  # 24 packets a session are less than there are: the hour is full.
  traffic $((rate * 3600 / 24)) 1000 | "$dir/retime" -rate "$rate" "$dir/start.pcap:1" "$dir/minutes-1.pcap:$((rate * 60))" \
    "$dir/minutes-10.pcap:$((rate * 600))" "$dir/minutes-60.pcap:$((rate * 3600))" >"$dir/minutes.packets"
  echo "$rate" >"$dir/minutes.flags"
fi

python3 -B .ci/growth.py "$dir" --runs "$runs" --connections "$connections" --rate "$rate" --speed "$speed" \
  --command "${GROWTH_FULL:+GROWTH_FULL=1 }.ci/growth.sh" --svg docs/growth.svg --update docs/performance.md
