#!/bin/sh
# Checks the types of the web console with tsc, and runs the tests of its pure modules. The schemas of docs/openapi.json are the types.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sh "$here/console.sh" tests
build=${CARGO_TARGET_DIR:-target}
checked=$build/console/check

rm -rf "$checked"
cp -R "$here/../crates/console/web" "$checked"
node "$here/../crates/console/types.mjs" "$here/../docs/openapi.json" "$checked"
"$build/servers/console/node_modules/.bin/tsc" --project "$checked/tsconfig.json"
node --test "$here"/../crates/console/tests/*.test.mjs
