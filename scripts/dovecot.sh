#!/bin/sh
# Makes sure that Dovecot's program is there; what is there already is not installed again. No system service is started:
# the tests and the demonstration start private ones.
set -eu
. "$(dirname "$0")/apt.sh"
if command -v dovecot >/dev/null 2>&1 || [ -x /usr/sbin/dovecot ]; then
    exit 0
fi
need_root Dovecot dovecot-imapd
install dovecot-imapd
