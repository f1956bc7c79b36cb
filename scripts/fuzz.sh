#!/bin/sh
# Gives the readers of foreign input mutated inputs, each for $TIME seconds: make fuzz. First all seeds, and 10 MB of each, are read.
#
# What was found to lead further is kept in target/fuzz/corpus, and used by the next run. An input that breaks something is
# written to target/fuzz/found; it becomes a seed (fuzz/seeds/TARGET) and an ordinary test.
set -eu
cd "$(dirname "$0")/.."
time=${TIME:-60}
targets=${TARGETS:-framer responses utf7 csv shell http ledger}
work=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
mkdir -p "$work/found"
# The database files of one target are written again and again.
if [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi

if ! cargo fuzz --version >/dev/null 2>&1; then
    echo "installing cargo-fuzz"
    cargo install cargo-fuzz --locked
fi
# Without a sanitizer: no line of mailhaul is unsafe, and each input costs a third. So any toolchain will do.
options="--fuzz-dir fuzz --sanitizer none --target-dir $work/build"
cargo test --locked --manifest-path fuzz/Cargo.toml --target-dir "$work/build"
# shellcheck disable=SC2086
cargo fuzz build $options

total=0
for target in $targets; do
    mkdir -p "$work/corpus/$target"
    log=$work/$target.log
    echo "$target: $time s"
    # Long scripts are a test of their own; short ones lead further in the same time.
    if [ "$target" = shell ]; then length=1024; else length=0; fi
    # shellcheck disable=SC2086
    if ! cargo fuzz run $options "$target" "$work/corpus/$target" "fuzz/seeds/$target" -- -max_total_time="$time" \
        -max_len="$length" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$work/found/$target-" >"$log" 2>&1; then
        tail -n 60 "$log" >&2
        echo "$target: an input breaks it: see $work/found" >&2
        exit 1
    fi
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log")
    memory=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")
    echo "$target: $executions executions, $speed a second, at most $memory MB"
    total=$((total + executions))
done
echo "$total executions in all"
