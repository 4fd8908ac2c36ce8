#!/usr/bin/env bash
# make up: from a bare Debian to a running network, a line for each phase. Arguments go to `nataris up`; the port that
# they name, or the default one, must be free before anything is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

listen=127.0.0.1:8080
arguments=("$@")
while [ $# -gt 0 ]; do
    case $1 in
        --listen) listen=${2-} ;;
        --listen=*) listen=${1#--listen=} ;;
    esac
    shift
done

port=${listen##*:}
host=${listen%:*}
host=${host#[}
host=${host%]}
case $host in
    0.0.0.0 | ::) host=127.0.0.1 ;;
esac
if [ "$port" != 0 ] && (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then
    echo "up: $listen is taken. Choose another port: make up ARGS=\"--listen ${listen%:*}:$((port + 1))\"" >&2
    exit 1
fi

number=0
# phase WHAT EXPECTED COMMAND...: says what begins, how long that takes on 2 cores the first time, and how long it took.
phase() {
    local what=$1 expected=$2 started=$SECONDS
    shift 2
    number=$((number + 1))
    echo "up: $number/4 $what ($expected the first time)"
    "$@"
    echo "up: $number/4 done in $((SECONDS - started)) s"
}

compile() {
    if [ ! -f build/build.ninja ]; then
        cmake --preset release --log-level=NOTICE >/dev/null
    fi
    NINJA_STATUS="[%f/%t, %e s] " cmake --build build -- nataris nataris-llama
}

phase "Debian packages" "about a minute" tools/deps.sh build
phase "llama.cpp" "about 10 seconds" tools/llama-deps.sh
phase "configure and compile" "about a minute" compile
number=$((number + 1))
echo "up: $number/4 gateway, provider and the built-in model (a few seconds)"
exec build/nataris up --data .nataris --listen 127.0.0.1:8080 "${arguments[@]}"
