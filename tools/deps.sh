#!/usr/bin/env bash
# Installs what is missing for: build (the default), test, bench, lint. Does nothing, quickly, when all is there.
set -euo pipefail

build_packages=(build-essential cmake ninja-build pkg-config git ca-certificates curl openssl libuv1-dev node-llhttp
    libsimdjson-dev libssl-dev libsqlite3-dev libcurl4-openssl-dev libinih-dev libicu-dev libgmp-dev libmpfr-dev
    uthash-dev)
test_packages=(libcmocka-dev clang-14 libclang-rt-14-dev)
lint_packages=(clang-format-14 clang-tidy-14 pmccabe)
bench_packages=(nginx-light)

wanted=()

fail() {
    echo "deps: $*" >&2
    exit 1
}

want_node() {
    local version=v0
    if command -v node >/dev/null; then
        version=$(node --version)
    fi
    version=${version#v}
    if [ "${version%%.*}" -lt 18 ]; then
        wanted+=(nodejs)
    fi
    command -v npm >/dev/null || wanted+=(npm)
}

want_python() {
    if ! command -v python3 >/dev/null; then
        wanted+=(python3 python3-pip)
    elif ! python3 -S -c 'import sys; sys.exit(sys.version_info < (3, 9))' ||
        ! python3 -c 'import importlib.util as u, sys; sys.exit(u.find_spec("pip") is None)'; then
        wanted+=(python3-pip)
    fi
}

for group in "${@:-build}"; do
    case $group in
        build)
            wanted+=("${build_packages[@]}")
            want_python
            ;;
        test)
            wanted+=("${test_packages[@]}")
            want_node
            ;;
        lint) wanted+=("${lint_packages[@]}") ;;
        bench) wanted+=("${bench_packages[@]}") ;;
        *) fail "unknown group $group; known are build, test, lint, bench" ;;
    esac
done

command -v dpkg-query >/dev/null || fail "this is not a Debian system; install by hand: ${wanted[*]}"
installed=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' "${wanted[@]}" 2>/dev/null || true)"
missing=()
for package in "${wanted[@]}"; do
    [[ $installed == *" installed:$package "* ]] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
        fail "not root and no sudo here. Ask an administrator for: apt-get install ${missing[*]}"
    as_root=(sudo)
fi

# nginx is wanted as a program only. Debian would start it as a service on port 80: forbid that while we install.
policy=/usr/sbin/policy-rc.d
if [[ " ${missing[*]} " == *" nginx-light "* ]] && [ ! -e $policy ]; then
    trap '"${as_root[@]}" rm -f $policy' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
    "${as_root[@]}" chmod 755 $policy
fi

apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
echo "deps: installing ${missing[*]}"
"${apt[@]}" update || fail "apt-get update failed; is the network there?"
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "could not install: ${missing[*]}"
if [[ " ${missing[*]} " == *" nginx-light "* ]] && [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --quiet nginx.service || true
fi
echo "deps: done"
