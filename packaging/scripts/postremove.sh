#!/bin/sh
# deb: remove keeps configuration, state, records and whether the service is
# enabled; purge removes them. rpm keeps state and records.
set -e
if [ "$1" = purge ]; then
  rm -rf /var/lib/mailtap /var/log/mailtap /etc/mailtap
  rm -f /etc/systemd/system/multi-user.target.wants/mailtap.service
  if getent passwd mailtap >/dev/null; then
    userdel mailtap || true # it takes the group along, where nobody else is in it
  fi
fi
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
