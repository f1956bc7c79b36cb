#!/bin/sh
# Makes sure that the files of the web console that come from npm are there (Preact and signals), below the build directory, from
# which the build script of crates/console embeds them. With the argument "tests", also the browser and the packages that its
# tests need. What is there already is not installed again.
set -eu
here=$(dirname "$0")
. "$here/apt.sh"
. "$here/npm.sh"
console=$here/../crates/console
build=${CARGO_TARGET_DIR:-target}

need_node "the web console"
# The build script runs again, because it is younger than the last build.
if npm_ci "$console" "$build/console" "the packages of the web console"; then touch "$console/build.rs"; fi

if [ "${1:-}" = tests ]; then
    if ! command -v chromium >/dev/null 2>&1; then
        need_root "the browser of the tests (chromium)" chromium fonts-dejavu-core
        install chromium fonts-dejavu-core
    fi
    npm_ci "$console/tests" "$build/servers/console" "the packages of the tests of the web console" || :
fi
