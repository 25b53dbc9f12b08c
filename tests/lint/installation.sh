#!/usr/bin/env bash
# installation.sh SOURCE: `meson install` with the prefix that Debian uses puts everything where it belongs, and systemd
# finds nothing wrong with it there. Nothing needs to be built for that.
set -euo pipefail
source=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
root=$folder/root

meson setup -Dprefix=/usr -Dtests=false -Dwrap_mode=nodownload "$folder/build" "$source" >"$folder/log" ||
  { cat "$folder/log"; exit 1; }

# The folders of libraries have the machine's name in them.
meson introspect --installed "$folder/build" | python3 -c '
import json, re, sys
print(*sorted(re.sub("^/usr/lib/[^/]+-linux-gnu/", "/usr/lib/MACHINE/", path) for path in json.load(sys.stdin).values()), sep="\n")
' >"$folder/installed"
diff -u - "$folder/installed" <<'TXT'
/usr/bin/nftlink
/usr/include/nftlink/linkenv
/usr/include/nftlink/model
/usr/lib/MACHINE/libnftlink-linkenv.a
/usr/lib/MACHINE/pkgconfig/nftlink-linkenv.pc
/usr/lib/modules-load.d/nftlink.conf
/usr/lib/systemd/system/nftlinkd.service
/usr/lib/sysusers.d/nftlink.conf
/usr/lib/tmpfiles.d/nftlink.conf
/usr/sbin/nftlinkd
/usr/share/doc/nftlink/examples/docker-0.10.yaml
/usr/share/doc/nftlink/examples/nftlink.yaml
/usr/share/man/man5/nftlink.yaml.5
/usr/share/man/man8/nftlink.8
/usr/share/man/man8/nftlinkd.8
TXT

DESTDIR=$root meson install -C "$folder/build" --no-rebuild --tags systemd,man >"$folder/log"
unit=$root/usr/lib/systemd/system/nftlinkd.service

# The group is there before a file is given to it, and what an operator has made of the folder stays.
mkdir "$root/etc"
systemd-sysusers --root "$root"
grep -q '^nftlink:' "$root/etc/group"
group=$(grep '^nftlink:' "$root/etc/group" | cut -d : -f 3)
mode() { stat -c '%a %g' "$root/$1"; }
expect() { [ "$2" = "$3" ] || { echo "$1: $2, not $3"; exit 1; }; }
if [ "$EUID" -eq 0 ]; then  # only root can give a file away
  systemd-tmpfiles --root "$root" --create
  expect /etc/nftlink "$(mode etc/nftlink)" "750 $group"
  expect /run/cdi "$(mode run/cdi)" '755 0'
  chmod 755 "$root/etc/nftlink"
  systemd-tmpfiles --root "$root" --create
  expect '/etc/nftlink, changed by the operator' "$(mode etc/nftlink)" "755 $group"
fi

# The programs that the unit calls are those that are installed; stand-ins do here.
for program in $(sed -nE 's/^Exec[A-Za-z]+=([^ ]+).*/\1/p' "$unit"); do
  grep -qx "$program" "$folder/installed" || { echo "the unit calls $program, which is not installed"; exit 1; }
  install -D /bin/true "$root$program"
done
for page in $(sed -nE 's/^Documentation=(.*)/\1/p' "$unit"); do
  name=$(sed -E 's/^man:(.*)\(([0-9])\)$/\1.\2/' <<<"$page")
  [ -f "$root/usr/share/man/man${name##*.}/$name" ] || { echo "the unit names $page, which is not installed"; exit 1; }
done
# Below the root there are no other units, so that it is looked at from outside; a remark is as bad as an error.
sed -E "s|^(Exec[A-Za-z]+=)|\\1$root|" "$unit" >"$folder/nftlinkd.service"
systemd-analyze verify --man=no "$folder/nftlinkd.service" >"$folder/log" 2>&1 || echo 'verify failed' >>"$folder/log"
[ ! -s "$folder/log" ] || { cat "$folder/log"; exit 1; }
# Root with one capability and netlink in the host's network; what is left of 10 counts that and little else.
systemd-analyze security --offline=yes --threshold=16 "$unit" >"$folder/log" || { cat "$folder/log"; exit 1; }
