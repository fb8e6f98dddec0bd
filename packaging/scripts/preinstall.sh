#!/bin/sh
# rpm: files of the package belong to the group, so it must be there before them.
set -e
if ! getent passwd mailtap >/dev/null; then
  getent group mailtap >/dev/null || groupadd --system mailtap
  useradd --system --gid mailtap --home-dir /var/lib/mailtap --no-create-home --shell /usr/sbin/nologin \
    --comment "mailtap, monitor of mail traffic" mailtap
fi
