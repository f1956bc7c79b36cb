#!/bin/sh
# Makes sure that PostgreSQL's programs are there, version 15 or later; what is there already is not installed again. Debian's
# package would also make a cluster and start it: the tests start private ones, and that one is not made.
set -eu
. "$(dirname "$0")/apt.sh"
if ls /usr/lib/postgresql/1[5-9]/bin/initdb /usr/lib/postgresql/[2-9][0-9]/bin/initdb 2>/dev/null | grep -q initdb; then
    exit 0
fi
need_root PostgreSQL postgresql
# A file beside the package's own, so that apt has no question about it. A later installation by the administrator makes a
# cluster as always.
settings=/etc/postgresql-common/createcluster.d
mkdir -p "$settings"
echo 'create_main_cluster = false' >"$settings/mailhaul.conf"
ended=0
install postgresql || ended=$?
rm "$settings/mailhaul.conf"
exit $ended
