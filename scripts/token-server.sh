#!/bin/sh
# Makes sure that the token server of the tests is there: oidc-provider from npm, in the versions of its lock file, below the
# build directory, and Node.js (18 or later) to run it. What is there already is not installed again.
set -eu
here=$(dirname "$0")
. "$here/apt.sh"
wanted=$here/../crates/testkit/token-server
installed=${CARGO_TARGET_DIR:-target}/servers/token-server

missing=
command -v node >/dev/null 2>&1 || missing="$missing nodejs"
command -v npm >/dev/null 2>&1 || missing="$missing npm"
if [ -n "$missing" ]; then
    need_root "the token server of the tests ($missing )" nodejs npm
    # shellcheck disable=SC2086
    install $missing
fi

if ! cmp -s "$wanted/package-lock.json" "$installed/package-lock.json"; then
    echo "installing oidc-provider from npm into $installed"
    # It is moved to its place when all of it is there.
    new=$installed.new
    rm -rf "$new"
    mkdir -p "$new"
    cp "$wanted/package.json" "$wanted/package-lock.json" "$new"
    (cd "$new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
        echo "npm cannot install the token server of the tests: it needs a registry of npm that can be reached." >&2
        exit 1
    }
    rm -rf "$installed"
    mv "$new" "$installed"
fi
