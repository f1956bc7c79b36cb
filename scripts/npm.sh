# Read by the other scripts: packages from npm, in the versions of a lock file, below the build directory.

# Makes sure that Node.js (18 or later) and npm are there: need_node "what needs them"
need_node() {
    absent=
    command -v node >/dev/null 2>&1 || absent="$absent nodejs"
    command -v npm >/dev/null 2>&1 || absent="$absent npm"
    if [ -n "$absent" ]; then
        need_root "$1 ($absent )" nodejs npm
        # shellcheck disable=SC2086
        install $absent
    fi
}

# Installs the packages of a lock file, unless the same ones are there already; true if it installed: npm_ci FROM TO "what it is"
npm_ci() {
    cmp -s "$1/package-lock.json" "$2/package-lock.json" && return 1
    echo "installing $3 from npm into $2"
    # It is moved to its place when all of it is there.
    rm -rf "$2.new"
    mkdir -p "$2.new"
    cp "$1/package.json" "$1/package-lock.json" "$2.new"
    (cd "$2.new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
        echo "npm cannot install $3: it needs a registry of npm that can be reached." >&2
        exit 1
    }
    rm -rf "$2"
    mv "$2.new" "$2" || exit 1
}
