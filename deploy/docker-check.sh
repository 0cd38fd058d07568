#!/usr/bin/env bash
# Runs deploy/Dockerfile's steps without a container engine: each stage becomes a folder, COPY copies what an engine would, RUN
# runs on this machine's own tools, and the resulting program is started, probed by the image's own HEALTHCHECK, and stopped.
# The program is running not try what only an engine can show: the base images, USER, and a read-only root.
#
#   deploy/docker-check.sh            # minutes when nothing is built yet; never longer than 40
#   deploy/docker-check.sh FILE       # seconds: runs the Dockerfile of an image context that `cargo xtask dist` made
set -euo pipefail
packed=$([ -z "${1:-}" ] || realpath "$1")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly LONGEST=2400
dockerfile=deploy/Dockerfile
root=$(pwd)
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill -KILL "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
# Builds go where other builds of this checkout go, so that a second run is quick.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$root/target/docker-check}

fail() { echo "docker-check: $*" >&2; exit 1; }

# The context as .dockerignore leaves it; its patterns are ones that tar reads the same way.
copy_context() {
    local patterns=()
    while read -r pattern; do
        case $pattern in
            '' | '#'*) ;;
            '**/'*) patterns+=(--exclude="${pattern#\*\*/}") ;;
            *) patterns+=(--exclude="./$pattern") ;;
        esac
    done < .dockerignore
    mkdir -p "$1"
    tar --create "${patterns[@]}" . | tar --extract --directory "$1"
}

if [ -n "$packed" ]; then
    mkdir "$work/context"
    tar --extract --file "$packed" --directory "$work/context"
    dockerfile=$work/context/Dockerfile
    # An engine sets it for each architecture that it builds for.
    TARGETARCH=$(dpkg --print-architecture)
fi

# The path of an instruction in a stage's folder: absolute paths unchanged, others below the stage's working folder.
inside() { case $2 in /*) echo "$work/$1$2" ;; *) echo "$work/$1${folder[$1]}/$2" ;; esac; }

declare -A folder
stage= healthcheck=
while read -r instruction rest; do
    case $instruction in
        '' | '#'*) continue ;;
        FROM)
            stage=$(awk '{ print (toupper($2) == "AS") ? $3 : "final" }' <<< "$rest")
            folder[$stage]=
            mkdir -p "$work/$stage" ;;
        WORKDIR)
            folder[$stage]=$rest
            mkdir -p "$work/$stage$rest" ;;
        COPY)
            from= arguments=()
            for word in $rest; do
                case $word in
                    --from=*) from=${word#--from=} ;;
                    --*) ;;
                    *) arguments+=("$word") ;;
                esac
            done
            [ "${#arguments[@]}" = 2 ] || fail "not understood: COPY $rest"
            target=$(inside "$stage" "${arguments[1]}")
            if [ -n "$from" ]; then
                mkdir -p "$(dirname "$target")"
                cp -R "$(inside "$from" "${arguments[0]}")" "$target"
            elif [ -n "$packed" ]; then
                mkdir -p "$(dirname "$target")"
                cp -R "$work/context/${arguments[0]//'${TARGETARCH}'/$TARGETARCH}" "$target"
            else
                [ "$rest" = '. .' ] || fail "not understood: COPY $rest"
                copy_context "$target"
            fi ;;
        RUN)
            # Caches of an engine's builder.
            while [[ $rest == --mount=* ]]; do rest=${rest#* }; done
            echo "==> RUN $rest"
            (cd "$work/$stage${folder[$stage]}" && timeout "$LONGEST" sh -c "$rest") ;;
        HEALTHCHECK) healthcheck=${rest#*CMD } ;;
        ARG | ENV | USER | VOLUME | EXPOSE | STOPSIGNAL | ENTRYPOINT | CMD) ;;
        *) fail "unknown instruction: $instruction" ;;
    esac
done < "$dockerfile"

program=$work/final/usr/local/bin/latchkey
"$program" --version
[ -d "$work/final/var/lib/latchkey" ] || fail "the image has no folder for its state"
for left_out in .git target data; do
    [ ! -e "$work/build/build/$left_out" ] || fail "$left_out went into the build"
done

echo "==> HEALTHCHECK $healthcheck"
port=$((20000 + RANDOM % 10000))
cat > "$work/config.yaml" <<YAML
server: { listeners: [{ address: 127.0.0.1:$port }] }
storage: { url: sqlite://$work/final/var/lib/latchkey/latchkey.db }
keys: { sealing_key: { file: $work/final/var/lib/latchkey/sealing.key } }
YAML
ask() {
    # ["/usr/local/bin/latchkey", "health", …] as words, in the stage's folder and at this run's port.
    local words
    read -ra words <<< "$(tr -d '[]",' <<< "$healthcheck")"
    words=("${words[@]/127.0.0.1:3000/127.0.0.1:$port}")
    timeout 10 "$work/final${words[0]}" "${words[@]:1}"
}
if ask > /dev/null 2>&1; then fail "healthy before it was started"; fi
"$program" --config "$work/config.yaml" serve > "$work/log" &
server=$!
for _ in $(seq 100); do ask > /dev/null 2>&1 && break; sleep 0.1; done
ask || fail "not healthy: $(cat "$work/log")"
kill -TERM "$server"
wait "$server" || fail "it did not end in order"
server=
echo "docker-check: passed"
