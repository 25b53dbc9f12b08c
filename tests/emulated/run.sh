#!/usr/bin/env bash
# Runs the kernel suite, and the program suites that need names of bridges in rules, on Debian's own kernels in emulated
# machines, which takes neither root nor KVM. Wants build/release to be built. The reports and consoles go to
# build/kernels/VERSION. To run a part:
#   run.sh [FILTER-WITHOUT-BR_NETFILTER [FILTER-WITH-IT [PROGRAM-SUITES]]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

versions=(6.1 6.12)
# What proves the bridge family runs without br_netfilter, but for what is about both.
bridge_filter=${1:-Bridge*:*/Bridge*:*/bridge_*-*WithBridgeNetfilterOn*}
others_filter=${2:-*-*/bridge_*}
program_suites=${3-frames equivalence}
topologies=3  # of the equivalence test
limit=900   # seconds for a machine from its start to its end
patience=2  # NFTLINK_TEST_PATIENCE; the machine is ten times slower, but most waiting is for nothing to come

folder=build/kernels
release=$PWD/build/release
kernel_test=$release/tests/kernel/kernel-test
# dash, because busybox's shell takes busybox's ip for ip.
programs=("$kernel_test" "$release"/src/{nftlink,nftlinkd} /bin/dash /{bin/ip,sbin/bridge} /usr/bin/{python3,unshare}
  /usr/sbin/{nft,xtables-nft-multi,xtables-legacy-multi})
plugins=/usr/lib/x86_64-linux-gnu/xtables

say() { echo "kernels: $*" >&2; }
fail() {
  say "$@"
  exit 1
}

# The newest package of that kernel version which apt knows; else the newest that an earlier run has fetched.
package_of() {
  local pattern="linux-image-${1//./\\.}\\.[0-9]+(-[0-9]+|\\+deb[0-9]+)-cloud-amd64" found
  found=$(apt-cache search --names-only "^$pattern\$" | cut -d ' ' -f 1)
  [ -n "$found" ] ||
    found=$(find "$folder" -maxdepth 1 -regextype posix-extended -regex "$folder/$pattern" -printf '%f\n')
  [ -n "$found" ] || fail "apt knows no package of Linux $1 (linux-image-$1…-cloud-amd64): is this Debian 12 with the" \
    "list of its security archive? apt-get update fetches that"
  sort -V <<<"$found" | tail -n 1
}

# fetch PACKAGE: unpacks it into a folder of its name, unless that is there. Nothing is installed.
fetch() {
  [ -d "$folder/$1" ] && return 0
  say "fetching $1"
  local work=$folder/new
  rm -rf "$work"
  mkdir "$work"
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$1") ||
    fail "cannot download $1: is the network there, and apt's list of packages new (apt-get update)?"
  dpkg-deb -x "$work"/*.deb "$work/unpacked"
  depmod -b "$work/unpacked" "$(ls "$work/unpacked/lib/modules")"
  mv "$work/unpacked" "$folder/$1"
  rm -r "$work"
}

# copy ROOT FILE…: each to its own place below the root; symbolic links as what they point to. Python takes its compiled
# modules for old when a file's time is another one.
copy() {
  local root=$1 file
  for file in "${@:2}"; do install -D -p "$file" "$root$file"; done
}

# The files of Python's library and of pytest that our scripts need, compiled ones too: what is imported when they are collected,
# and when a case fails or is skipped.
python_files() {
  /usr/bin/python3 -I -B - tests/program/service/frames_test.py tests/equivalence/equivalence_test.py <<'PY'
import contextlib
import io
import os
import pathlib
import pytest.__main__
import sys
import tempfile

CASES = """
import pytest
def test_passes(): pass
def test_fails(): assert {1: [2]} == {1: [3]}
def test_skips(): pytest.skip("why")
"""
with contextlib.redirect_stdout(io.StringIO()) as said, tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "some_test.py").write_text(CASES)
    some = pytest.main(["-q", "-p", "no:cacheprovider", f"--junitxml={folder}/some.xml", folder])
    ours = pytest.main(["-q", "--collect-only", *sys.argv[1:]])
assert (some, ours) == (1, 0), said.getvalue()
libraries = (os.path.dirname(os.__file__) + "/", str(pathlib.Path(pytest.__file__).parents[1]) + "/")
for module in list(sys.modules.values()):
    for place in (getattr(module, "__file__", None), getattr(module, "__cached__", None)):
        if place and place.startswith(libraries) and os.path.exists(place):
            print(place)
PY
}

# What the machines need apart from the kernel: our programs where they are here, and what tests call.
make_userland() {
  local root=$1 python extensions libraries tool
  mkdir -p "$root"/{bin,dev,proc,sbin,sys,tmp,tests}
  mapfile -t python < <(python_files)
  mapfile -t extensions < <(printf '%s\n' "${python[@]}" | grep '\.so$')
  mapfile -t libraries < <(ldd "${programs[@]}" "${extensions[@]}" | grep -oE '/[^ ]+ \(' | cut -d ' ' -f 1 | sort -u)
  copy "$root" "${programs[@]}" "${libraries[@]}" "${python[@]}" "$plugins"/*.so /bin/busybox \
    /etc/{protocols,services,nsswitch.conf}
  cp -r tests/{program,equivalence,support,conftest.py,pytest.ini} "$root/tests"
  busybox --list | grep -vxE 'busybox|ip|sh' | xargs -I NAME ln -s busybox "$root/bin/NAME"
  ln -s dash "$root/bin/sh"
  ln -s ../bin/modprobe "$root/sbin/modprobe"  # where the kernel looks for it
  for tool in {ip,ip6}tables{,-nft}{,-save,-restore} {ip,ip6}tables-restore-translate; do
    ln -s xtables-nft-multi "$root/usr/sbin/$tool"
  done
  ln -s xtables-legacy-multi "$root/usr/sbin/iptables-legacy-restore"
  ln -s xtables-legacy-multi "$root/usr/sbin/ip6tables-legacy-restore"
  install tests/emulated/init.sh "$root/init"
  printf 'export %s\n' "KERNEL_TEST='$kernel_test'" "BRIDGE_FILTER='$bridge_filter'" "OTHERS_FILTER='$others_filter'" \
    "PROGRAM_SUITES='$program_suites'" "TOPOLOGIES=$topologies" "BUILD='$release'" \
    "NFTLINK_TEST_PATIENCE=$patience" >"$root/settings"
}

# make_modules ROOT PACKAGE: all of netfilter and of bridges, veth and dummy, with what they need; not compressed, which
# an emulated machine would be slow to undo.
make_modules() {
  local modules to
  modules=$(echo "$folder/$2"/lib/modules/*)
  to=$PWD/$1/lib/modules/${modules##*/}
  mkdir -p "$to"
  cp "$modules"/modules.{order,builtin,builtin.modinfo} "$to"
  grep -E '^kernel/net/(netfilter|bridge|ipv[46]/netfilter)/|/(veth|dummy)\.ko' "$modules/modules.dep" |
    tr ': ' '\n' | grep . | sort -u | (cd "$modules" && xargs cp --parents -t "$to")
  find "$to" -name '*.ko.xz' -exec unxz {} +
  depmod -b "$1" "${modules##*/}"
}

archive() { (cd "$1" && find . | cpio --quiet -o -H newc -R 0:0); }

# prepare VERSION PACKAGE: what boot needs.
prepare() {
  make_modules "$folder/$1/modules" "$2"
  cp "$folder/$2"/boot/vmlinuz-* "$folder/$1/vmlinuz"
  { archive "$folder/userland" && archive "$folder/$1/modules"; } >"$folder/$1/initramfs"
}

# boot VERSION: becomes the emulator. Without address randomization it has each program's code translated once for all
# processes that run it: twice as fast. An older processor has no instructions that are slow to emulate.
boot() {
  cd "$folder/$1"
  exec timeout "$limit" qemu-system-x86_64 -accel tcg -cpu Nehalem -smp 1 -m 1G -nodefaults -display none -no-reboot \
    -kernel vmlinuz -initrd initramfs -serial file:console -serial file:reports.tar \
    -append 'console=ttyS0 loglevel=4 panic=-1 mitigations=off nokaslr norandmaps' </dev/null
}

# finish VERSION STATUS-OF-BOOT: takes out the reports, and shows what went wrong.
finish() {
  local here=$folder/$1 reports=(bridge.xml others.xml) name report wrong=''
  for name in $program_suites; do reports+=("$name.xml"); done
  tar -C "$here" --ignore-zeros -xf "$here/reports.tar" 2>/dev/null || true  # one after another
  for report in "${reports[@]}"; do
    [ -s "$here/$report" ] || wrong="gave no $report (the emulator's status was $2)"
  done
  if [ "$2" -eq 124 ]; then
    wrong="had not ended after $limit seconds"
  elif [ -n "$wrong" ]; then
    :
  elif [ "$(grep -c '^== .* with status 0' "$here/console")" -ne "${#reports[@]}" ]; then
    wrong="failed tests"
  elif grep -q '^SKIPPED ' "$here/console"; then
    wrong="skipped what it is there for"
  fi
  [ -z "$wrong" ] && grep '^== ' "$here/console" >&2 && return 0
  say "Linux $1 $wrong; the end of $here/console:"
  { tr -d '\r' <"$here/console" | grep -vE '^\[( +RUN| +OK|-+)|^$' || true; } | tail -n 60 >&2
  return 1
}

[ "$(dpkg --print-architecture)" = amd64 ] || fail "the kernels are amd64's, and our programs are not"
mkdir -p "$folder"
declare -A packages machines
for version in "${versions[@]}"; do
  packages[$version]=$(package_of "$version")
  fetch "${packages[$version]}"
done
rm -rf "$folder/userland"
make_userland "$folder/userland"
trap 'kill "${machines[@]}" 2>/dev/null || true' EXIT
for version in "${versions[@]}"; do
  rm -rf "${folder:?}/$version"
  prepare "$version" "${packages[$version]}"
  boot "$version" &
  machines[$version]=$!
done
status=0
for version in "${versions[@]}"; do
  ended=0
  wait "${machines[$version]}" || ended=$?
  finish "$version" "$ended" || status=1
done
exit "$status"
