# Prepares an empty /etc/latchkey, /var/lib, /run and /usr/local/bin with the program, in separate mount and
# network namespaces. Arguments: the program, and the root of the repository.
set -euo pipefail
program=$1 repository=$2
ip link set lo up
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -m 755 /mnt/etc /mnt/lib /mnt/run /mnt/bin
cp -a /etc/. /mnt/etc 2> /dev/null || true
touch /mnt/bin/latchkey
mount --bind "$program" /mnt/bin/latchkey
mount --bind /mnt/etc /etc
mount --bind /mnt/lib /var/lib
mount --bind /mnt/run /run
mount --rbind /mnt/bin /usr/local/bin

step() { echo "--- $*"; }
fail() { echo "FAILED: $*" >&2; exit 1; }
is_root() { [ "$(id -u)" = 0 ]; }
# Changes the owner of files, if there is more than one user.
own() { ! is_root || chown "$@"; }

# as USER COMMAND…: runs a command without privileges, like a service. Without root there is only one user,
# who then has no privileges.
as() {
    local user=$1
    shift
    local drop=(--no-new-privs --inh-caps=-all --bounding-set=-all)
    if is_root; then drop+=(--reuid "$user" --regid "$user" --clear-groups); fi
    setpriv "${drop[@]}" "$@"
}

# Stops the program of a background job gracefully, and waits for its end.
stop() {
    kill -TERM $(cat "/proc/$1/task/$1/children")
    wait "$1" || fail "it did not end in order: $(cat /mnt/log)"
}

# until_succeeds COMMAND…: repeats the command for up to ten seconds.
until_succeeds() {
    for _ in $(seq 100); do
        ! "$@" > /mnt/last 2>&1 || return 0
        sleep 0.1
    done
    fail "$*: $(cat /mnt/last)"
}

# Fetches a token with the client that `tenant add` printed in this file.
fetch_token() {
    local id secret
    id=$(sed -n 's/^client id *//p' "$1") secret=$(sed -n 's/^client secret *//p' "$1")
    [ -n "$id" ] && [ -n "$secret" ] || fail "no client in: $(cat "$1")"
    until_succeeds curl -sS --fail-with-body http://localhost:3000/api/v1/tenant/globex/oauth/token \
        -d grant_type=client_credentials --data-urlencode "client_id=$id" --data-urlencode "client_secret=$secret"
    grep -q '"access_token":"ey' /mnt/last || fail "no token: $(cat /mnt/last)"
}
