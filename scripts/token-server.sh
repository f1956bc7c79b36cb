#!/bin/sh
# Makes sure that the token server of the tests is there: oidc-provider from npm, in the versions of its lock file, below the
# build directory, and Node.js (18 or later) to run it. What is there already is not installed again.
set -eu
here=$(dirname "$0")
. "$here/apt.sh"
. "$here/npm.sh"
wanted=$here/../crates/testkit/token-server
installed=${CARGO_TARGET_DIR:-target}/servers/token-server

need_node "the token server of the tests"
npm_ci "$wanted" "$installed" "the token server of the tests" || :
