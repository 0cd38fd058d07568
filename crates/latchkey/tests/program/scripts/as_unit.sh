# Starts deploy/systemd.yaml in the layout of deploy/latchkey.service after the commands in its header, as the
# unit's user. Uses the command line at the same time as root, as the service's user and as another user.
. "$(dirname "$0")/layout.sh"
unit=$repository/deploy/latchkey.service
of() { sed -n "s/^$1=//p" "$unit"; }
user=$(of User) state=/var/lib/$(of StateDirectory) credential=/run/credentials/latchkey.service/sealing.key
beside="latchkey --config /etc/latchkey/config.yaml"

step "the commands of the head"
cd "$repository"
mapfile -t commands < <(sed -n 's/^#   //p' "$unit" | grep -v 'target/dist\|systemctl\|runuser')
[ "${#commands[@]}" = 4 ] || fail "not understood: ${commands[*]}"
for command in "${commands[@]}"; do
    if is_root; then $command; else case $command in useradd*) ;; *) ${command// -g latchkey/} ;; esac; fi
done

step "what systemd prepares: the state directory"
install -d -m "$(of StateDirectoryMode)" "$state"
own "$user:$user" "$state"

step "without the credential, no command creates a key in its place"
! $beside admin init 2> /mnt/refused || fail "a key was created"
grep -q "does not create one there, because /run is empty after a reboot" /mnt/refused || fail "$(cat /mnt/refused)"
[ ! -e "$credential" ] || fail "a key was created"

step "what systemd prepares: the credential"
[ "$(of LoadCredential)" = sealing.key:/etc/latchkey/sealing.key ] || fail "another credential: $(of LoadCredential)"
install -D -m 0400 /etc/latchkey/sealing.key "$credential"
own "$user:$user" "$credential"

step "nothing to warn of"
$beside check --strict > /mnt/checked || fail "$(cat /mnt/checked)"

step "root creates the first administrator before the first start"
$beside admin init > /mnt/administrator

step "start: $(of ExecStart)"
cd "$(of WorkingDirectory)" 2> /dev/null || cd /
umask "$(of UMask)"
start() { as "$user" $(of ExecStart) > /mnt/log 2>&1; }
start &
server=$!
until_succeeds latchkey health || fail "$(cat /mnt/log)"
kill -0 $server || fail "it ended: $(cat /mnt/log)"

step "the command beside the service"
command=$(sed -n 's/^#   runuser -u latchkey -- //p' "$unit")
if is_root; then runuser -u "$user" -- $command > /mnt/tenant; else as "$user" $command > /mnt/tenant; fi
fetch_token /mnt/tenant
$beside tenant list | grep -q globex || fail "root sees no tenant"

step "end"
stop $server
is_root || { echo passed; exit 0; }

step "all files belong to the service"
[ -z "$(find "$state" ! -user "$user")" ] || fail "$(ls -la "$state")"
[ -e "$state/latchkey.db" ] || fail "no database"

step "another user is told why the database cannot be opened"
sed 's/^  sealing_key:.*/  sealing_key: { file: \/mnt\/other.key }/' /etc/latchkey/config.yaml > /mnt/other.yaml
install -m 0600 -o 65534 /etc/latchkey/sealing.key /mnt/other.key
chmod 0644 /mnt/other.yaml
! as 65534 latchkey --config /mnt/other.yaml tenant list 2> /mnt/refused || fail "nobody may read the store"
grep -q "$state" /mnt/refused && grep -q "run the program as the owner" /mnt/refused || fail "$(cat /mnt/refused)"

step "a file of root in the service's folder is named, with the fix"
chown root "$state/latchkey.db"
! start || fail "a file of another user was opened"
for words in "latchkey.db belongs to root (user id 0) with mode 0600" "runs as $user" "chown $(id -u "$user"): $state/latchkey.db"; do
    grep -qF "$words" /mnt/log || fail "no '$words' in: $(cat /mnt/log)"
done
echo passed
