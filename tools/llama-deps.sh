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

# Prints what npm would ask: the registry that it is configured with, or else its own default. The default is read from
# Debian's npm package, which is not installed for that: it would bring some 340 others.
find_registry() {
    local url=${npm_config_registry:-${NPM_CONFIG_REGISTRY:-}} file
    if [ -z "$url" ] && command -v npm >/dev/null; then
        url=$(npm config get registry)
    fi
    for file in "$root/.npmrc" "${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}" {,/usr,/usr/local}/etc/npmrc; do
        [ -n "$url" ] || [ ! -r "$file" ] || url=$(sed -nE 's/^registry *= *"?([^" ]+).*/\1/p' "$file" | tail -n 1)
    done
    [ -n "$url" ] || url=$(default_registry)
    echo "${url%/}"
}

default_registry() {
    mkdir -p "$work/npm"
    (cd "$work/npm" && apt-get -qq download npm 2>/dev/null) || return 0
    dpkg-deb --fsys-tarfile "$work"/npm/npm_*.deb |
        tar -xO --wildcards '*/npm-registry-fetch/lib/default-opts.js' |
        sed -nE "s/.*registry: '([^']+)'.*/\1/p"
}

# fetch_package KEY FOLDER: downloads the package of a lock line, checks its hash, unpacks it into FOLDER.
fetch_package() {
    local name version integrity archive=$2/package.tgz actual
    read -r name version integrity <<<"$(lock_line "$1")"
    echo "llama-deps: fetching $name@$version"
    mkdir -p "$2"
    curl --fail --silent --show-error --location --retry 3 --connect-timeout 20 --output "$archive" \
        "$registry/$name/-/${name##*/}-$version.tgz" || fail "could not fetch $name@$version"
    actual=sha512-$(openssl dgst -sha512 -binary "$archive" | base64 -w 0)
    [ "$actual" = "$integrity" ] || fail "$name@$version is not what tools/llama.lock pins: $actual"
    tar -xzf "$archive" -C "$2"
    rm -f "$archive"
}

# The libraries come with a search path that ends in a colon, which stands for the current folder, where anybody could
# put a library. The colon becomes the end of the text.
close_search_path() {
    local library=$1 place
    place=$(LC_ALL=C grep -obUaP '\$ORIGIN:\x00' "$library" | cut -d : -f 1)
    if [ -n "$place" ]; then
        printf '\0' | dd of="$library" bs=1 seek=$((place + 7)) conv=notrunc status=none
    fi
    if readelf -d "$library" | grep -qE 'R(UN)?PATH.*(\[:|::|:\])'; then
        fail "the search path of ${library##*/} names the current folder"
    fi
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

registry=$(find_registry)
[ -n "$registry" ] || fail "no npm here, and no registry in an npmrc; name one: NPM_CONFIG_REGISTRY=URL"
fetch_package source "$work/source"
fetch_package "$platform" "$work/built"

mkdir -p "$work/llama"
copy_headers "$work/source/package/llama/gitRelease.bundle" "$work/llama"
mkdir -p "$work/llama/lib"
cp "$work/built/package/bins/$platform/"*.so "$work/llama/lib/"
for library in "$work"/llama/lib/*.so; do
    close_search_path "$library"
done
cp "$lock" "$work/llama/stamp"
rm -rf "$target"
mv -T "$work/llama" "$target"
echo "llama-deps: llama.cpp $(lock_line commit | awk '{ print $2 }') is in .deps/llama"
