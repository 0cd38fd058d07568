#!/bin/sh
# Starts the program of the package for this machine, which is installed below this package or next to it.
case $(uname -m) in
    x86_64) package={name}-linux-x64 ;;
    aarch64) package={name}-linux-arm64 ;;
    *) echo "{name}: there is no package for $(uname -m)" >&2; exit 1 ;;
esac
folder=$(dirname "$(readlink -f "$0")")
while [ "$folder" != / ]; do
    folder=$(dirname "$folder")
    program=$folder/node_modules/$package/bin/latchkey
    [ ! -x "$program" ] || exec "$program" "$@"
done
echo "{name}: the package $package is not installed. Install {name} again, without --omit=optional." >&2
exit 1
