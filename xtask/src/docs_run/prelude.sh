# Precedes the blocks of each page, or of pages one after another. They have a network of their own, so the documented ports are free, and a
# folder of their own with config.yaml, deploy/ and docs/examples/.
set -euo pipefail
umask 077
ip link set lo up

# Names the block that runs now, for the message of a failure.
at() { echo "$1" > "$DOCS_RUN_AT"; echo "--- $1"; }
fail() { echo "docs-run: $*" >&2; exit 1; }

# An answer that is an error fails its block.
curl() { command curl --fail-with-body "$@"; }

# The program is built already.
cargo() {
    [ "${1:-} ${2:-}" = "run --release" ] || fail "docs-run runs no: cargo $*"
    shift 2
    [ "${1:-}" != -- ] || shift
    latchkey "$@"
}

await_server() {
    for _ in $(seq 200); do
        ! grep -q '"serving"' server.log || return 0
        kill -0 "$1" 2> /dev/null || fail "the server ended: $(cat server.log)"
        sleep 0.05
    done
    fail "the server is not ready: $(cat server.log)"
}

# Starts `server_of_page` in a process group of its own, in place of the server that runs.
server=
start_server() {
    stop_server
    set -m
    server_of_page > server.log 2>&1 &
    set +m
    server=$!
    await_server "$server"
}

stop_server() {
    [ -n "$server" ] || return 0
    kill -- "-$server"
    wait "$server" || true
    # The shell of the server may end before the server, which has the port.
    for _ in $(seq 200); do
        kill -0 -- "-$server" 2> /dev/null || return 0
        sleep 0.05
    done
    fail "the server does not end: $(tail -n 3 server.log)"
}

server_runs() { kill -0 "$server" 2> /dev/null || fail "the server ended: $(cat server.log)"; }

generations() { grep -c '"settings applied"' server.log 2> /dev/null || true; }

# Waits until the running server has applied more generations than before; without a server there is nothing to wait for.
await_generation() {
    [ -e server.log ] || return 0
    for _ in $(seq 400); do
        [ "$(generations)" -le "$1" ] || return 0
        sleep 0.05
    done
    fail "the server did not apply the changed config.yaml: $(tail -n 3 server.log)"
}
