#!/bin/sh
# Makes sure that mbsync is there, beside which `make bench` measures; what is there already is not installed again.
set -eu
if command -v mbsync >/dev/null 2>&1; then
    exit 0
fi
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
    echo "mbsync is missing; its rows will be too. To have them, install isync (Debian: sudo apt-get install isync)." >&2
    exit 0
fi
echo "installing mbsync (isync)"
export DEBIAN_FRONTEND=noninteractive
install() { apt-get install -y -q --no-install-recommends isync >/dev/null; }
install || { apt-get update -q >/dev/null && install; }
