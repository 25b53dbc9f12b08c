#!/usr/bin/env bash
# The seed's scenario with real programs and real packets: demo.sh FOLDER-OF-PROGRAMS CONFIGURATION.
# Everything happens in namespaces of its own; the host's ruleset, links and sysctls are never touched.
set -uo pipefail

if [ "${NFTLINK_DEMO_INSIDE:-}" != 1 ]; then
  # New user, network, mount and pid namespaces: what is made in them goes with them, also on Ctrl-C.
  NFTLINK_DEMO_INSIDE=1 exec unshare --map-root-user --net --mount --pid --fork --kill-child \
    bash "$(realpath "$0")" "$(realpath "$1")" "$(realpath "$2")"
fi

programs=$1 configuration=$2
mount -t proc proc /proc
mount -t tmpfs tmpfs /run  # `ip netns` keeps its names there
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

bold='' green='' red='' dim='' plain=''
[ -t 1 ] && bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
show() { sed "s/^/  $dim│$plain /"; }
# verdict WHAT STATUS: a tick when the status is 0.
verdict() {
  if [ "$2" -eq 0 ]; then
    printf '  %s✓%s %s\n' "$green" "$plain" "$1"
  else
    printf '  %s✗ %s%s\n' "$red" "$1" "$plain"
    failures=$((failures + 1))
  fi
}
expect() { local what=$1; shift; "$@" >"$work/out" 2>&1; verdict "$what" $?; }
refuse() { local what=$1; shift; ! "$@" >"$work/out" 2>&1; verdict "$what" $?; }
wait_for() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return 0; sleep 0.05; done; return 1; }
inside() { ip netns exec "$@"; }

# A container: a namespace with one leg on docker0.
container() {
  local name=$1 address=$2
  ip netns add "$name"
  ip link add "veth-$name" type veth peer name eth0 netns "$name"
  ip link set "veth-$name" master docker0 up
  ip -n "$name" link set lo up
  ip -n "$name" link set eth0 up
  ip -n "$name" address add "$address/16" dev eth0
}

connects() { inside "$1" timeout 1 bash -c ": </dev/tcp/$2/$3"; }

title "A host with docker0, and three containers on it"
sysctl -qw net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0 2>/dev/null
ip link set lo up
ip link add docker0 type bridge
ip link set docker0 up
ip address add 172.17.0.1/16 dev docker0
container redis 172.17.0.2
container client 172.17.0.3
container stranger 172.17.0.4
for port in 6379 6380; do
  inside redis redis-server --port "$port" --bind 172.17.0.2 --protected-mode no --save '' --appendonly no \
    --dir "$work" >/dev/null 2>&1 &
done
expect "redis 172.17.0.2 serves on 6379, and on 6380 which it does not expose" \
  wait_for connects redis 172.17.0.2 6380
expect "without nftlink the stranger at 172.17.0.4 reaches redis" connects stranger 172.17.0.2 6379
expect "without nftlink the client reaches redis' other port" connects client 172.17.0.2 6380

title "nftlink env client"
"$programs/nftlink" env client -c "$configuration" | show
expect "the client knows where its db is" grep -qx 'DB_PORT=tcp://172.17.0.2:6379' <("$programs/nftlink" env client -c "$configuration")

title "nftlinkd puts the link into nf_tables"
"$programs/nftlinkd" -c "$configuration" 2>"$work/log" &
service=$!
expect "its table is there" wait_for nft list chain inet nftlink bridge-docker0
nft list table inet nftlink | show

title "The client, through its link"
in_client() { inside client "$programs/nftlink" run client -c "$configuration" -- sh -c "timeout 2 redis-cli -h \$DB_PORT_6379_TCP_ADDR -p \$DB_PORT_6379_TCP_PORT $1"; }
for command in ping "set story 'links without iptables'" "get story"; do
  printf '  %s$%s redis-cli -h $DB_PORT_6379_TCP_ADDR -p $DB_PORT_6379_TCP_PORT %s\n' "$dim" "$plain" "$command"
  in_client "$command" 2>&1 | tee "$work/answer" | show
done
expect "what was stored comes back" grep -qx 'links without iptables' "$work/answer"
expect "the client gets its PONG" grep -qx PONG <(in_client ping)

title "Everybody else"
refuse "the stranger times out" connects stranger 172.17.0.2 6379
refuse "redis' other port is closed to the client" connects client 172.17.0.2 6380

title "Somebody runs: nft flush ruleset"
nft flush ruleset
expect "the table is back" wait_for nft list chain inet nftlink bridge-docker0
tail -n 1 "$work/log" | show
expect "the client is still in" grep -qx PONG <(in_client ping)
refuse "the stranger is still out" connects stranger 172.17.0.2 6379

title "Counters"
nft list set inet nftlink links4-docker0 | grep -o '172[^}]*comment "[^"]*"' | show
nft list chain inet nftlink bridge-docker0 | grep -o 'counter.*drop' | show
expect "the link's packets are counted" \
  grep -Eq 'counter packets [1-9][0-9]* .*comment "/client/db"' <(nft list set inet nftlink links4-docker0)
expect "and so are the stranger's, dropped" \
  grep -Eq 'counter packets [1-9][0-9]* .*drop' <(nft list chain inet nftlink bridge-docker0)

kill "$service"
wait "$service"
verdict "nftlinkd ends when told to" $?

echo
if [ "$failures" -eq 0 ]; then
  echo "${green}All of it held.${plain}"
else
  echo "${red}$failures of these did not hold.${plain}"
  cat "$work/log"
  exit 1
fi
