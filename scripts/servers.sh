#!/bin/sh
# Makes sure that the servers of the tests are there: Dovecot with Lua, Cyrus, Courier, PostgreSQL, a token server, a browser, an SMTP
# server (aiosmtpd); and libfaketime, for a clock that jumps. What is there already is not installed again, and no system service is
# started. The IMAP packages of Cyrus and Courier conflict with each other: they are unpacked below the build directory, and the tests
# take the programs from there; only what both need beside them is installed.
set -eu
here=$(dirname "$0")
. "$here/apt.sh"
sh "$here/dovecot.sh"
sh "$here/postgres.sh"
sh "$here/token-server.sh"
sh "$here/console.sh" tests
unpacked=${CARGO_TARGET_DIR:-target}/servers

missing=
need() { # file, package
    [ -e "$1" ] || missing="$missing $2"
}
need /usr/lib/dovecot/modules/auth/libauthdb_lua.so dovecot-auth-lua
need /usr/lib/cyrus/bin/master cyrus-common
need /usr/sbin/saslpasswd2 sasl2-bin
need /usr/sbin/couriertcpd courier-base
need /usr/bin/openssl openssl
need /usr/bin/sqlite3 sqlite3
need /usr/lib/python3/dist-packages/aiosmtpd python3-aiosmtpd
ls /usr/lib/*/faketime/libfaketimeMT.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
if [ -n "$missing" ]; then
    need_root "a server of the tests ($missing )" "$missing" cyrus-imapd courier-imap
    # Cyrus asks for a mail transport agent, which is not to be replaced where there is one.
    [ -x /usr/sbin/sendmail ] || missing="$missing msmtp-mta"
    # shellcheck disable=SC2086
    install $missing
fi

if [ ! -x "$unpacked/usr/lib/cyrus/bin/imapd" ] || [ ! -x "$unpacked/usr/bin/imapd" ]; then
    need_root "the IMAP server of Cyrus or Courier" cyrus-imapd courier-imap
    echo "unpacking cyrus-imapd and courier-imap into $unpacked"
    mkdir -p "$unpacked/packages"
    (cd "$unpacked/packages" && apt -o APT::Sandbox::User=root download cyrus-imapd courier-imap)
    for package in "$unpacked"/packages/*.deb; do
        dpkg-deb -x "$package" "$unpacked"
    done
    rm -r "$unpacked/packages"
fi
