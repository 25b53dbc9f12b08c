#!/usr/bin/env bash
# Runs ./dev demo in bare systems of Debian's releases, where not even a compiler is: what somebody meets who has just
# cloned this. Needs root, br_netfilter and Debian's archive. Reports and logs go to build/chroots/RELEASE. To run a part:
#   run.sh [RELEASE…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

releases=("$@")
[ $# -gt 0 ] || releases=(bookworm trixie)
mirror=http://deb.debian.org/debian
limit=1800  # seconds for one demo, of which nearly all goes into building the programs
# What the demo is to have shown, in its words.
proofs=(
  "without nftlink the stranger at 172.17.0.4 reaches redis"
  "the client knows where its db is"
  "docker0's own bridge netfilter switch is on"
  "and the global ones are off, as before"
  "the client gets its PONG"
  "the stranger times out"
  "redis' other port is closed to the client"
  "the table is back as it was"
  "the stranger reaches redis"
  "and doesn't any more"
  "the link's packets are counted"
  "nftlinkd ends when told to"
)

say() { echo "chroots: $*" >&2; }
fail() {
  say "$@"
  exit 1
}

# make_base FOLDER RELEASE: the bare system as an archive, which later runs use again. It knows no package yet, as the
# images of containers don't, and as an old list would be of no use.
make_base() {
  local system=$1/system
  say "making a bare $2"
  debootstrap --variant=minbase --force-check-gpg "$2" "$system" "$mirror" >"$1/log" 2>&1 &&
    rm -rf "$system"/var/lib/apt/lists/* "$system"/var/cache/apt/* &&
    tar -C "$system" -cf "$1/base.tar.new" . &&
    mv "$1/base.tar.new" "$1/base.tar"
}

# fill SYSTEM BASE: the bare system, with the files of ours that git knows, as they are now. Git refuses folders of other
# users, which root's sudo makes common.
fill() {
  rm -rf --one-file-system "$1" &&
    mkdir -p "$1" &&
    tar -C "$1" -xf "$2" &&
    cp --remove-destination -L /etc/resolv.conf "$1/etc/" &&
    mkdir "$1/nftlink" &&
    git -c safe.directory="$PWD" ls-files -z --deduplicate | while IFS= read -r -d '' file; do
      [ ! -e "$file" ] || printf '%s\0' "$file"
    done | tar --null -T - -c | tar -C "$1/nftlink" --no-same-owner -x
}

# run_demo SYSTEM LOG
run_demo() {
  unshare --mount --pid --fork --kill-child bash tests/chroots/inside.sh "$1" "$limit" </dev/null >"$2" 2>&1 &
  machine=$!
  local status=0
  wait "$machine" || status=$?
  machine=
  return "$status"
}

# verdict CASE STATUS [REASON]: adds a case to the report.
verdict() {
  local name="<testcase classname=\"Demo\" name=\"$1\""
  if [ "$2" -eq 0 ]; then
    cases+="$name/>"$'\n'
  else
    cases+="$name><failure message=\"$3\"/></testcase>"$'\n'
    failures=$((failures + 1))
    say "$release: $1: failed: $3"
  fi
}

# in_release FOLDER RELEASE: collects the cases.
in_release() {
  local here=$1 release=$2 status=0 proof seconds=$SECONDS
  rm -rf --one-file-system "$here"/{system,base.tar.new,log}
  mkdir -p "$here"
  [ -f "$here/base.tar" ] || make_base "$here" "$release" || status=$?
  verdict "a bare system is made" "$status" "debootstrap ended with $status: is the network there?"
  [ "$status" -eq 0 ] || return 0
  fill "$here/system" "$here/base.tar" || status=$?
  verdict "the tree is copied into it" "$status" "cannot fill $here/system"
  [ "$status" -eq 0 ] || return 0
  say "./dev demo in a bare $release; takes minutes"
  run_demo "$here/system" "$here/log" || status=$?
  verdict "the demo ends well" "$status" "its exit status is $status (124: not done after $limit seconds)"
  for proof in "${proofs[@]}"; do
    status=0
    grep -Fqx "  ✓ $proof" "$here/log" || status=$?
    verdict "$proof" "$status" "the demo did not say so"
  done
  status=0
  grep -Fqx "All of it held." "$here/log" || status=$?
  verdict "all of it held" "$status" "the demo did not say so"
  rm -rf --one-file-system "$here/system"
  say "$release: $((SECONDS - seconds)) seconds"
}

[ "$EUID" -eq 0 ] || fail "bare systems need root"
[ -d /proc/sys/net/bridge ] || fail "the kernel module br_netfilter is not loaded: modprobe br_netfilter"
machine=
trap '[ -z "$machine" ] || kill -KILL "$machine"' EXIT
status=0
for release in "${releases[@]}"; do
  here=build/chroots/$release
  cases='' failures=0
  rm -f "$here/demo.xml"
  in_release "$here" "$release"
  printf '<testsuite name="chroots">\n%s</testsuite>\n' "$cases" >"$here/demo.xml"
  [ "$failures" -eq 0 ] && continue
  status=1
  say "the end of $here/log:"
  tail -n 40 "$here/log" >&2 || true
done
exit "$status"
