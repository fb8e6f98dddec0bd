#!/usr/bin/env bash
# Installs what building or testing needs and is missing, through Debian's
# package manager, and says so. Installs nothing that is there, starts no service.
#   .ci/install.sh build   a C compiler and libpcap's headers
#   .ci/install.sh test    the same, and the servers and tools of the tests
#   .ci/install.sh package  those of the test of packages
set -euo pipefail

what=${1:-build}
missing=()

need() { # COMMAND PACKAGE
  PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1 || missing+=("$2")
}

need go golang-go
need cc gcc
if [ ! -e /usr/include/pcap/pcap.h ] && [ ! -e /usr/local/include/pcap/pcap.h ]; then
  missing+=(libpcap-dev)
fi
if ! printf '#include <stdlib.h>\n' | cc -E - >/dev/null 2>&1; then
  missing+=(libc6-dev)
fi
if [ "$what" = test ]; then
  need ip iproute2
  need setpriv util-linux
  need setcap libcap2-bin
  need tcpdump tcpdump
  need swaks swaks
  need postfix postfix
  need prometheus prometheus
  need prometheus-alertmanager prometheus-alertmanager
  need python3 python3
  need openssl openssl
  need chromium chromium
  need systemd-analyze systemd
fi
if [ "$what" = package ]; then
  need ip iproute2
  need setpriv util-linux
  need python3 python3
  need systemd-analyze systemd
  need debootstrap debootstrap
  need rpm rpm
fi

if [ ${#missing[@]} -eq 0 ]; then
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  as_root=(sudo -n)
  if ! sudo -n true 2>/dev/null; then
    echo "missing: ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2
    # Tests without their tools skip and say so; a build without a compiler cannot.
    if [ "$what" = test ] && command -v go >/dev/null && command -v cc >/dev/null && [ -e /usr/include/pcap/pcap.h ]; then
      exit 0
    fi
    exit 1
  fi
fi
if ! command -v apt-get >/dev/null 2>&1; then
  echo "missing: ${missing[*]} (names of Debian packages). Install them with your system's package manager." >&2
  exit 1
fi

echo "installing with apt-get: ${missing[*]}" >&2

# A package that brings a service starts it when it is installed; 101 forbids that.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 0755 "$policy"
  trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
for package in "${missing[@]}"; do
  if [ "$package" = postfix ]; then
    echo 'postfix postfix/main_mailer_type select No configuration' | "${as_root[@]}" debconf-set-selections
  fi
done

apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q "$@" </dev/null >&2; }
apt update
apt install -y --no-install-recommends "${missing[@]}"
