#!/usr/bin/env bash
# Holds the records of a built mailtap against a corpus of captures with known
# truth, and fails where a case of .ci/whole-cases.txt is not whole any more.
#   .ci/corpus.sh BINARY CORPUS            check
#   .ci/corpus.sh BINARY CORPUS --update   write the cases that are whole now
set -euo pipefail

binary=$(readlink -f "$1")
corpus=$(readlink -f "$2")
list=$(dirname "$(readlink -f "$0")")/../.ci/whole-cases.txt

out=$(mktemp)
now=$(mktemp)
trap 'rm -f "$out" "$now"' EXIT

# Its exit status is 1 while any case is open; 2 means that it could not run.
status=0
python3 -B "$corpus/verify.py" --mailtap "$binary" >"$out" </dev/null || status=$?
cat "$out"
[ "$status" -le 1 ]
find "$corpus" -mindepth 2 -maxdepth 2 -name truth.json -printf '%h\n' | sed 's|.*/||' | sort >"$now"
broken=$(sed -n 's/^\([^ ].*\): [0-9]* right, [0-9]* wrong$/\1/p' "$out" | sort)
whole=$(comm -23 "$now" <(printf '%s\n' "$broken"))

if [ "${3:-}" = --update ]; then
  { echo '# Cases of the corpus that every change must keep whole; renewed by: make corpus-update'; echo "$whole"; } >"$list"
  echo "$(grep -vc '^#' "$list") cases are whole now, written to $list"
  exit 0
fi

lost=$(comm -23 <(grep -v '^#' "$list" | sort) <(echo "$whole") | comm -12 - "$now")
if [ -n "$lost" ]; then
  printf 'cases that were whole and are not any more:\n%s\n' "$lost"
  exit 1
fi
echo "every case that must be whole is: $(grep -vc '^#' "$list")"
