#!/bin/sh
# Makes sure that Dovecot's program is there; what is there already is not installed again. No system service is started:
# the tests and the demonstration start private ones.
set -eu
if command -v dovecot >/dev/null 2>&1 || [ -x /usr/sbin/dovecot ]; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Dovecot is missing. Install Dovecot 2.3 with its IMAP server, then run this again." >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "Dovecot is missing, and installing it needs root. Run this once, then go on without root:" >&2
    echo "    sudo apt-get install --no-install-recommends dovecot-imapd" >&2
    exit 1
fi
echo "installing Dovecot (dovecot-imapd)"
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -q --no-install-recommends dovecot-imapd >/dev/null; }
install || { apt-get update -q >/dev/null && install; }
