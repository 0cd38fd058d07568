# Starts deploy/docker.yaml in the layout of deploy/Dockerfile, as its user and with a read-only root, and
# runs the commands in its header.
. "$(dirname "$0")/layout.sh"
dockerfile=$repository/deploy/Dockerfile
words() { sed -n "s/^$1.*\(\[.*\]\)\$/\1/p" "$dockerfile" | jq -r '.[]'; }
user=$(sed -n 's/^USER \([0-9]*\):.*/\1/p' "$dockerfile")
mapfile -t start < <(words ENTRYPOINT; words CMD)
mapfile -t healthcheck < <(words HEALTHCHECK)
[ "${#start[@]}" = 4 ] && [ "${#healthcheck[@]}" = 4 ] || fail "not understood: ${start[*]}; ${healthcheck[*]}"

step "the volume and the mounted configuration"
grep -q '^#   docker run .* -v latchkey:/var/lib/latchkey -v latchkey-keys:/var/lib/latchkey-keys -v ./deploy/docker.yaml:/etc/latchkey/config.yaml:ro latchkey$' "$dockerfile"
volumes=(/var/lib/latchkey /var/lib/latchkey-keys)
install -d "${volumes[@]}"
install -D -m 0644 "$repository/deploy/docker.yaml" /etc/latchkey/config.yaml
for volume in "${volumes[@]}"; do
    grep -q "^VOLUME $volume$" "$dockerfile" || fail "no volume $volume"
    mount -t tmpfs -o mode=700 tmpfs "$volume"
    own "$user:$user" "$volume"
done
mount -o remount,bind,ro /etc
mount -o remount,bind,ro /usr/local/bin

step "nothing to warn of"
as "$user" latchkey --config /etc/latchkey/config.yaml check --strict > /mnt/checked || fail "$(cat /mnt/checked)"

step "start: ${start[*]}"
cd /var/lib/latchkey
as "$user" "${start[@]}" > /mnt/log 2>&1 &
server=$!
until_succeeds as "$user" "${healthcheck[@]}" || fail "$(cat /mnt/log)"

step "the command of the head that creates a tenant"
command=$(sed -n 's/^#   docker exec latchkey //p' "$dockerfile")
# shellcheck disable=SC2086
as "$user" $command > /mnt/tenant
fetch_token /mnt/tenant

step "end"
stop $server
echo passed
