#!/bin/sh
# deb: $1 is configure and $2 the version before, empty the first time. rpm: $1
# is 1 the first time, 2 on an upgrade.
set -e
case "$1" in
configure | 1 | 2) ;;
*) exit 0 ;; # abort-upgrade and its kin: all is as it was
esac
first=
if [ "$1" = 1 ] || { [ "$1" = configure ] && [ -z "$2" ]; }; then
  first=yes
fi

if ! getent passwd mailtap >/dev/null; then
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers mailtap.conf
  else
    getent group mailtap >/dev/null || groupadd --system mailtap
    useradd --system --gid mailtap --home-dir /var/lib/mailtap --no-create-home --shell /usr/sbin/nologin \
      --comment "mailtap, monitor of mail traffic" mailtap
  fi
fi
if [ -n "$first" ]; then
  # The configuration may name tokens. Later it is the administrator's.
  chgrp mailtap /etc/mailtap /etc/mailtap/mailtap.yaml
  chmod 0750 /etc/mailtap
  chmod 0640 /etc/mailtap/mailtap.yaml
fi
[ -d /var/lib/mailtap ] || install -d -o mailtap -g mailtap -m 0700 /var/lib/mailtap
[ -d /var/log/mailtap ] || install -d -o mailtap -g mailtap -m 0750 /var/log/mailtap

if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  # Only what runs is restarted: nothing starts that nobody configured.
  [ -n "$first" ] || systemctl try-restart mailtap.service || true
fi
if [ -n "$first" ]; then
  cat <<'END'
mailtap does not run yet:
  1. name the interface in /etc/mailtap/mailtap.yaml (capture.interfaces), and what is yours (home)
  2. mailtap config check --config /etc/mailtap/mailtap.yaml
  3. systemctl enable --now mailtap
The way to the first alert: /usr/share/doc/mailtap/docs/quickstart.md
END
fi
