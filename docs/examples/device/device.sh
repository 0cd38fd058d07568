#!/bin/sh
# A device reports once. It keeps its token over restarts, goes on with it while the token endpoint is away, and waits for a network.
# Ages are counted from the fetch on, by the device's own clock, so a clock that is wrong by hours does not matter.
set -eu
umask 077
endpoint=http://localhost:3000/api/v1/tenant/globex/oauth/token
api=http://localhost:3000/api/v1/protected-resource
state=${STATE:-/var/lib/device}

# Prints a token. The file has the time of its fetch, its lifetime in seconds, and the token.
token() {
    if read -r fetched lifetime value 2>/dev/null <"$state/token"; then
        age=$(($(date +%s) - fetched))
        # A negative age is a clock that was set back.
        if [ "$age" -ge 0 ] && [ "$age" -lt $((lifetime * 9 / 10)) ]; then
            echo "$value"
            return
        fi
    fi
    wait=1
    # The secret comes from a file, not from an argument, which other users of the machine see. A line end is no part of it.
    until answer=$(tr -d '\n' <"$state/secret" | curl -sS --fail --max-time 10 -d grant_type=client_credentials \
        -d client_id=shipping --data-urlencode client_secret@- "$endpoint"); do
        [ "$wait" -le 600 ] || return 1
        sleep "$wait"
        wait=$((wait * 2))
    done
    echo "$answer" | jq -r --arg now "$(date +%s)" '"\($now) \(.expires_in) \(.access_token)"' >"$state/token.new"
    mv "$state/token.new" "$state/token"
    read -r _ _ value <"$state/token"
    echo "$value"
}

# The header goes through a file descriptor: arguments are visible.
report() {
    value=$(token) || return 1
    printf 'Authorization: Bearer %s\n' "$value" |
        curl -sS --max-time 10 --retry 5 --retry-connrefused -o "$state/answer" -w '%{http_code}' -H @- "$api"
}

status=$(report)
if [ "$status" = 401 ]; then
    # The token was revoked: one repetition, with a new one.
    rm -f "$state/token"
    status=$(report)
fi
cat "$state/answer"
[ "$status" = 200 ]
