#!/usr/bin/env bash
# Makes the capture that `mailtap demo` plays from single captures of the
# corpus, each moved to its place on one time line (needs tshark's editcap,
# mergecap and capinfos): .ci/demo-capture.sh CORPUS
set -euo pipefail

corpus=$1
out=$(dirname "$(readlink -f "$0")")/../cmd/mailtap/testdata/demo.pcap
start=1795435200
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

place() { # SECOND CASE
  local file first
  file=$(echo "$corpus/$2"_*/capture.pcap)
  first=$(capinfos -a -S -T -m -r "$file" | cut -d, -f2)
  editcap -F pcap -t "$(echo "$start + $1 - $first" | bc -l)" "$file" "$tmp/$2.pcap"
}

place 0 01a  # relay in clear
place 2 03   # STARTTLS with a visible certificate, AUTH inside
place 4 05   # passwords in clear, accepted
place 6 06   # five wrong passwords, then the right one
place 12 12  # addresses and subjects beyond ASCII
place 14 15c # STARTTLS stripped on the way
place 16 17a # SMTP smuggling
place 18 25  # IPv6
place 20 20a # sixty guesses over twelve users
place 24 18a # greylisting
place 28 19  # a refused recipient, and the bounce that tells of it
place 32 10a # several recipients refused
place 34 02c # handshakes that fail
place 36 18b # too many connections: 421
place 40 22a # VRFY, EXPN and unknown commands
place 52 42  # one mail a second, then a burst

mergecap -F pcap -w "$out" "$tmp"/*.pcap
ls -l "$out"
