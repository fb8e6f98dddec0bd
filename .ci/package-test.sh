#!/usr/bin/env bash
# Makes what is released in two folders, the second time for one architecture, and
# compares: the same octets.
# Then the .deb is installed in a fresh Debian in a folder (chroot, no systemd), run
# there as its unit says (.ci/unit-run) over a pair of virtual interfaces up to the
# first alert, a reload and the stop, upgraded, removed and purged; the .rpm is
# installed and erased. As root; no packet leaves the machine. The fresh Debian is
# kept in PACKAGE_TEST_CACHE (~/.cache/mailtap-test) and made anew after 30 days.
#   .ci/package-test.sh [FOLDER]     of a release that is made already: nothing is built
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PATH:/usr/sbin:/sbin" LC_ALL=C.UTF-8
[ "$(id -u)" -eq 0 ] || { echo "needs root, for a chroot and a network namespace: sudo make package-test" >&2; exit 1; }

tmp=$(mktemp -d)
space=mailtap-package-$$
watcher=
hook=
cleanup() {
  for pid in $watcher $hook; do kill "$pid" 2>/dev/null || true; done
  wait
  ip netns del "$space" 2>/dev/null || true
  for mounted in "$tmp"/*/proc; do
    ! mountpoint -q "$mounted" || umount "$mounted"
  done
  rm -rf --one-file-system "$tmp"
}
trap cleanup EXIT
say() { echo "$((SECONDS)) s: $*"; }
die() { echo "package-test: $*" >&2; exit 1; }
until_holds() { # COMMAND..., for 60 s
  local end=$((SECONDS + 60))
  while [ "$SECONDS" -lt "$end" ]; do
    if "$@" >/dev/null 2>&1; then return; fi
    sleep 0.2
  done
  die "never came true: $*"
}

# The same octets, whatever the folder.
VERSION=$(git describe --tags --always --dirty 2>/dev/null || echo v0.0.0)
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || echo 1700000000)
export VERSION SOURCE_DATE_EPOCH
dist=${1:-}
[ -z "$dist" ] || dist=$(realpath "$dist")
for copy in one other/folder; do
  [ -z "$dist" ] || break
  mkdir -p "$tmp/$copy"
  git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T - 2>/dev/null | tar -xf - -C "$tmp/$copy"
  "$tmp/$copy/packaging/release.sh" "$tmp/$copy/dist" >/dev/null
  RELEASE_ARCHES=$(dpkg --print-architecture) # one will do the second time
  export RELEASE_ARCHES
  say "released in $copy"
done
if [ -z "$dist" ]; then
  dist=$tmp/one/dist
  again=$tmp/other/folder/dist/SHA256SUMS
  ! grep -vxFf "$dist/SHA256SUMS" "$again" || die "two builds differ"
  say "the second build is the same: $(wc -l <"$again") of $(wc -l <"$dist/SHA256SUMS") files"
fi
deb=$(ls "$dist"/*_"$(dpkg --print-architecture)".deb)
rpm=$(ls "$dist"/*."$(uname -m)".rpm)
(cd "$dist" && sha256sum --quiet -c SHA256SUMS)

# A fresh Debian.
cache=${PACKAGE_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mailtap-test}
mkdir -p "$cache"
read -r mirror suite < <(apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)' |
  awk '$1 == "Debian" && $4 == "main" && $3 !~ /-/ { print $2, $3; exit }')
fresh=$cache/$suite-$(dpkg --print-architecture).tar
find "$cache" -name '*.tar' -mtime +30 -delete
if [ ! -e "$fresh" ]; then
  debootstrap --variant=minbase "$suite" "$tmp/base" "$mirror" >"$tmp/debootstrap.log" || { tail -5 "$tmp/debootstrap.log" >&2; die "debootstrap failed"; }
  rm -rf "$tmp"/base/var/cache/apt/archives/*.deb "$tmp"/base/var/lib/apt/lists/*
  tar -C "$tmp/base" -cf "$fresh.new" . && mv "$fresh.new" "$fresh"
  rm -rf --one-file-system "$tmp/base"
  say "a fresh Debian $suite is made"
fi
root=$tmp/debian
mkdir "$root"
tar -C "$root" -xf "$fresh"
say "a fresh Debian $suite is there"
everything() { (cd "$1" && find . -xdev ! -path './var/lib/dpkg/*' ! -path './var/log/*.log' ! -path './proc/*' ! -name 'passwd-' ! -name 'group-' ! -name 'shadow-' ! -name 'gshadow-' ! -path './var/cache/ldconfig/*' ! -path './var/lib/rpm*' | sort); }
everything "$root" >"$tmp/before"
cp "$root/etc/passwd" "$tmp/passwd"

# Installed.
installed=$SECONDS
cp "$deb" "$root/mailtap.deb"
chroot "$root" dpkg -i /mailtap.deb >"$tmp/dpkg.log" 2>&1 || { cat "$tmp/dpkg.log" >&2; die "dpkg -i failed"; }
rm "$root/mailtap.deb"
grep -q 'systemctl enable --now mailtap' "$tmp/dpkg.log" || die "the way to start it is not told"
mode() { chroot "$root" stat -c '%U:%G %a' "$1"; }
is() { [ "$2" = "$3" ] || die "$1 is $2, want $3"; }
is /etc/mailtap "$(mode /etc/mailtap)" "root:mailtap 750"
is /etc/mailtap/mailtap.yaml "$(mode /etc/mailtap/mailtap.yaml)" "root:mailtap 640"
is /var/lib/mailtap "$(mode /var/lib/mailtap)" "mailtap:mailtap 700"
is /var/log/mailtap "$(mode /var/log/mailtap)" "mailtap:mailtap 750"
for file in /usr/bin/mailtap /usr/lib/systemd/system/mailtap.service /usr/lib/sysusers.d/mailtap.conf /etc/default/mailtap \
  /usr/share/man/man1/mailtap.1.gz /usr/share/man/man1/mailtap-run.1.gz /usr/share/man/man5/mailtap.yaml.5.gz \
  /usr/share/bash-completion/completions/mailtap /usr/share/zsh/vendor-completions/_mailtap /usr/share/fish/vendor_completions.d/mailtap.fish \
  /usr/share/doc/mailtap/copyright /usr/share/doc/mailtap/README.md \
  /usr/share/doc/mailtap/docs/README.md /usr/share/doc/mailtap/docs/quickstart.md; do
  [ -s "$root$file" ] || die "$file is not installed"
done
entry=$(grep '^mailtap:' "$root/etc/passwd") || die "no user mailtap"
case $entry in *:/usr/sbin/nologin) ;; *) die "mailtap can log in: $entry" ;; esac

# The unit: systemd reads it, and says how open it is.
sed "s|^ExecStart=/usr/bin/|ExecStart=$root/usr/bin/|" "$root/usr/lib/systemd/system/mailtap.service" >"$tmp/mailtap.service"
systemd-analyze verify --man=no "$tmp/mailtap.service" 2>"$tmp/verify" || { cat "$tmp/verify" >&2; die "systemd does not take the unit"; }
! grep -i 'mailtap.service' "$tmp/verify" || die "systemd has words about the unit"
exposure=$(systemd-analyze security --offline=true --no-pager --threshold=15 "$root/usr/lib/systemd/system/mailtap.service" | tail -1) || die "more than 1.5: $exposure"
say "$exposure"

# The configuration, as the service's user. Without an interface: one line, status 2.
mount -t proc proc "$root/proc"
# In the namespace, in the chroot, with what the unit gives; all of them become the command.
# shellcheck disable=SC2054
as_service=(ip netns exec "$space" chroot "$root" setpriv --reuid mailtap --regid mailtap --clear-groups --no-new-privs
  --bounding-set=-all,+net_raw --inh-caps=-all,+net_raw --ambient-caps=-all,+net_raw)
ip netns add "$space"
ip -n "$space" link set lo up
ip -n "$space" link add tx0 type veth peer name rx0
for end in rx0 tx0; do
  ip -n "$space" link set "$end" addrgenmode none mtu 65535 up
done
"${as_service[@]}" mailtap config check --config /etc/mailtap/mailtap.yaml
status=0
"${as_service[@]}" mailtap run --config /etc/mailtap/mailtap.yaml >"$tmp/none" 2>&1 || status=$?
is "status without an interface" "$status" 2
is "lines without an interface" "$(grep -c 'capture.interfaces: name 1 to 64 interfaces' "$tmp/none") of $(wc -l <"$tmp/none")" "1 of 1"

# As a new user sets it up: interface, networks, a webhook. A command tries what it must not do.
config=$root/etc/mailtap/mailtap.yaml
url=http://127.0.0.1:9099/hook
sed -i 's|^  #interfaces: \[eth1\]|  interfaces: [rx0]|; s|^  #networks: .*|  networks: [10.20.0.0/16, "fd20::/16"]|; s|^  #domains: .*|  domains: [corp.test]|
  s|^  #receivers: .*|  receivers: [{name: ops, webhook: {url_file: /etc/mailtap/hook-url}}]|
  s|^  #writable: .*|  writable: [/srv/probe]|' "$config"
install -o root -g "$(stat -c %g "$config")" -m 640 /dev/stdin "$root/etc/mailtap/hook-url" <<<"$url"
install -m 755 .ci/probe "$root/opt/probe"
install -d -o "$(stat -c %u "$root/var/lib/mailtap")" "$root/srv/probe"
install -m 755 /dev/stdin "$root/srv/probe/program" <<<'#!/bin/sh'
ip netns exec "$space" python3 - "$tmp/hook.log" <<'END' &
import http.server, sys
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        with open(sys.argv[1], "ab") as log:
            log.write(self.rfile.read(int(self.headers["Content-Length"])) + b"\n")
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", 9099), Hook).serve_forever()
END
hook=$!
"${as_service[@]}" mailtap config check --config /etc/mailtap/mailtap.yaml
until_holds "${as_service[@]}" mailtap alerts test --config /etc/mailtap/mailtap.yaml
sed -i 's|^  receivers: \[|&{name: probe, rules: [AuthBruteForce], command: {argv: [/opt/probe]}}, |' "$config" # a test would run it without the limits

# The unit's own line. It is pleasant to read: nothing warns.
go build -o "$tmp/replay" ./.ci/replay
.ci/unit-run "$root" "$tmp/told" ip netns exec "$space" 2>"$tmp/run.log" &
watcher=$!
page() { ip netns exec "$space" python3 -c 'import sys, urllib.request; print(urllib.request.urlopen("http://127.0.0.1:9025" + sys.argv[1], timeout=10).read().decode())' "$1"; }
until_holds page /-/ready
until_holds grep -qx 'READY=1 STATUS=watching rx0' "$tmp/told"
is "the journal of a start, in lines" "$(grep -c level=INFO "$tmp/run.log") of $(wc -l <"$tmp/run.log")" "4 of 4"

# It has nothing left but its open sockets.
main=$(sed -n 's/^MAINPID=//p' "$tmp/told")
left() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$main/status"; }
for set in CapInh CapPrm CapEff CapAmb; do is "$set" "$(left $set)" 0000000000000000; done
is CapBnd "$(left CapBnd)" 0000000000002000
is NoNewPrivs "$(left NoNewPrivs)" 1
is Seccomp "$(left Seccomp)" 2
[ "$(left Uid)" != 0 ] || die "it is root"

# It watches what is sent into the other end, and tells.
ip netns exec "$space" "$tmp/replay" -interface tx0 -rate 2000 cmd/mailtap/testdata/demo.pcap
told() { page /metrics >"$tmp/metrics" && grep -q '^mailtap_messages_total{.*result="accepted".*} [1-9]' "$tmp/metrics"; }
until_holds told
until_holds grep -q '"status":"firing".*"alertname":"AuthBruteForce"' "$tmp/hook.log"
say "the first alert is there, $((SECONDS - installed)) s after dpkg -i"

# What tries to leave the service's constraints, from inside, is refused.
until_holds test -e "$root/srv/probe/told"
is "what the sandbox lets through" "$(grep -v '^refused ' "$root/srv/probe/told" | tr '\n' ';')" "DONE an ordinary socket;DONE write /var/lib/mailtap;"
say "the sandbox refused $(grep -c '^refused ' "$root/srv/probe/told") ways out"

# systemctl reload, with a mistake and then with a changed rule; systemctl stop.
cp -p "$config" "$tmp/config"
sed -i 's|^  domains:|  domain:|' "$config"
kill -HUP "$watcher"
until_holds grep -q 'the old one stays.*home.domain: is no key, did you mean domains' "$tmp/run.log"
cat "$tmp/config" >"$config"
sed -i 's|^    #override: .*|    override: [{name: AuthBruteForce, threshold: 3}]|' "$config"
kill -HUP "$watcher"
until_holds grep -q 'msg="the configuration was reloaded".*need_a_restart=0' "$tmp/run.log"
kill "$watcher"
wait "$watcher" || { cat "$tmp/run.log" >&2; die "mailtap run ended with $?"; }
watcher=
kill "$hook"
hook=
grep -q '^STOPPING=1' "$tmp/told" || die "systemd was not told of the end"
grep -q '"event":"mail"' "$root/var/log/mailtap/records.json" || die "no record of a mail"
is "records" "$(mode /var/log/mailtap/records.json)" "mailtap:mailtap 640"
ls "$root"/var/lib/mailtap/*.state >/dev/null || die "no state was kept"
rm -r "$root/opt/probe" "$root/srv/probe"
say "it watched $(grep -c '"event":"session"' "$root/var/log/mailtap/records.json") sessions as $(chroot "$root" stat -c %U /var/log/mailtap/records.json) without root"

# An upgrade keeps what the administrator wrote.
cp "$deb" "$root/mailtap.deb"
chroot "$root" dpkg -i /mailtap.deb >"$tmp/dpkg.log" 2>&1 </dev/null || { cat "$tmp/dpkg.log" >&2; die "installing over it failed"; }
rm "$root/mailtap.deb"
grep -q '^  interfaces: \[rx0\]' "$root/etc/mailtap/mailtap.yaml" || die "an upgrade lost the configuration"
is "/etc/mailtap/mailtap.yaml after an upgrade" "$(mode /etc/mailtap/mailtap.yaml)" "root:mailtap 640"

# Removed: the program goes, configuration, state and records stay. Purged: all goes.
chroot "$root" dpkg -r mailtap >"$tmp/dpkg.log" 2>&1 || { cat "$tmp/dpkg.log" >&2; die "dpkg -r failed"; }
[ ! -e "$root/usr/bin/mailtap" ] || die "remove leaves the program"
[ -s "$root/etc/mailtap/mailtap.yaml" ] && [ -s "$root/var/log/mailtap/records.json" ] || die "remove took configuration or records"
chroot "$root" dpkg -P mailtap >"$tmp/dpkg.log" 2>&1 || { cat "$tmp/dpkg.log" >&2; die "dpkg -P failed"; }
umount "$root/proc"
everything "$root" >"$tmp/after"
diff "$tmp/before" "$tmp/after" || die "purge leaves, or takes, files"
diff "$tmp/passwd" "$root/etc/passwd" || die "purge leaves a user"
say "removed and purged, nothing is left"

# The rpm, by rpm of Debian: no dependencies are known there.
rpm -qp --list "$rpm" | sort >"$tmp/rpm.list"
for file in /usr/bin/mailtap /usr/lib/systemd/system/mailtap.service /usr/share/zsh/site-functions/_mailtap /etc/mailtap/mailtap.yaml; do
  grep -qx "$file" "$tmp/rpm.list" || die "the rpm has no $file"
done
is "configuration of the rpm" "$(rpm -qpc "$rpm" | sort | tr '\n' ' ')" "/etc/default/mailtap /etc/mailtap/mailtap.yaml "
rpm --root "$root" --nodeps --nosignature -i "$rpm" >"$tmp/rpm.log" 2>&1 || { cat "$tmp/rpm.log" >&2; die "rpm -i failed"; }
is "/etc/mailtap/mailtap.yaml of the rpm" "$(mode /etc/mailtap/mailtap.yaml)" "root:mailtap 640"
is "/var/lib/mailtap of the rpm" "$(mode /var/lib/mailtap)" "mailtap:mailtap 700"
chroot "$root" mailtap version
rpm --root "$root" -e mailtap >"$tmp/rpm.log" 2>&1 || { cat "$tmp/rpm.log" >&2; die "rpm -e failed"; }
[ ! -e "$root/usr/bin/mailtap" ] && [ -d "$root/var/lib/mailtap" ] || die "rpm -e leaves the program, or takes the state"
say "the rpm was installed and erased"
