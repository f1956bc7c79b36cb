# Read by the other scripts: installing with apt, without starting a system service and without questions.

# Ends here, with what to do, where apt cannot install: need_root "what is missing" PACKAGE...
need_root() {
    what=$1
    shift
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "$what is missing, and there is no apt to install it: on Debian 12 it is in the packages $*." >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "$what is missing, and installing it needs root. Run this once as root, then go on: sh $0" >&2
        exit 1
    fi
}

# Does one apt command, after an update where it fails without.
apt() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q -o DPkg::Lock::Timeout=300 "$@" >/dev/null || {
        apt-get update -q >/dev/null && apt-get -q -o DPkg::Lock::Timeout=300 "$@" >/dev/null
    }
}

install() {
    echo "installing $*"
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt install -y --no-install-recommends "$@"
}
