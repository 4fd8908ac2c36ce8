#!/usr/bin/env bash
# Puts the pinned llama.cpp into .deps/llama: headers, built libraries, licence. Returns at once when it is there.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
lock=$root/tools/llama.lock
target=$root/.deps/llama

fail() {
    echo "llama-deps: $*" >&2
    exit 1
}

up_to_date() {
    cmp -s "$lock" "$target/stamp"
}

# The fields of one line of the lock file: package, version, integrity.
lock_line() {
    awk -v key="$1" '$1 == key { print $2, $3, $4 }' "$lock"
}

# fetch_package KEY FOLDER: downloads the package of a lock line, checks its hash, unpacks it into FOLDER.
fetch_package() {
    local name version integrity archive actual
    read -r name version integrity <<<"$(lock_line "$1")"
    echo "llama-deps: fetching $name@$version"
    mkdir -p "$2"
    archive=$2/$(cd "$2" && npm pack --silent "$name@$version" | tail -n 1) || fail "could not fetch $name@$version with npm"
    [ -f "$archive" ] || fail "could not fetch $name@$version with npm"
    actual=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
    [ "$actual" = "$integrity" ] || fail "$name@$version is not what tools/llama.lock pins: $actual"
    tar -xzf "$archive" -C "$2"
    rm -f "$archive"
}

# copy_headers BUNDLE FOLDER: from the source bundle, what a program built against the libraries includes.
copy_headers() {
    local commit clone=$2/clone
    commit=$(lock_line commit | awk '{ print $3 }')
    git clone --quiet --no-checkout "$1" "$clone" 2>/dev/null || fail "could not read the source bundle"
    [ "$(git -C "$clone" rev-parse HEAD)" = "$commit" ] || fail "the source bundle is not commit $commit"
    git -C "$clone" archive "$commit" LICENSE include ggml/include common | tar -x -C "$2"
    find "$2/common" -type f ! -name '*.h' ! -name '*.hpp' -delete
    find "$2/common" -type d -empty -delete
    rm -rf "$clone"
}

case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) platform=linux-x64 ;;
    Linux-aarch64) platform=linux-arm64 ;;
    *) fail "no built llama.cpp is pinned for $(uname -s) on $(uname -m); see tools/llama.lock" ;;
esac

up_to_date && exit 0
mkdir -p "$root/.deps"
exec 9>"$root/.deps/lock"
flock 9
up_to_date && exit 0

work=$(mktemp -d "$root/.deps/llama.XXXXXX")
trap 'rm -rf "$work"' EXIT

fetch_package source "$work/source"
fetch_package "$platform" "$work/built"

mkdir -p "$work/llama"
copy_headers "$work/source/package/llama/gitRelease.bundle" "$work/llama"
mkdir -p "$work/llama/lib"
cp "$work/built/package/bins/$platform/"*.so "$work/llama/lib/"
cp "$lock" "$work/llama/stamp"
rm -rf "$target"
mv -T "$work/llama" "$target"
echo "llama-deps: llama.cpp $(lock_line commit | awk '{ print $2 }') is in .deps/llama"
