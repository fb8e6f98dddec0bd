#!/bin/sh
# deb: $1 is remove or upgrade. rpm: $1 is 0 when the last one goes.
set -e
case "$1" in
remove | 0) ;;
*) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  systemctl stop mailtap.service || true
fi
if [ "$1" = 0 ] && command -v systemctl >/dev/null; then
  systemctl --no-reload disable mailtap.service >/dev/null 2>&1 || true # rpm knows no purge
fi
