#!/usr/bin/env bash
# The seed's scenario with real programs and real packets: demo.sh FOLDER-OF-PROGRAMS CONFIGURATION.
# Everything happens in namespaces of its own; the host's ruleset, links and sysctls are never touched.
set -uo pipefail

. "$(dirname "$0")/show.sh"

if [ "${NFTLINK_DEMO_INSIDE:-}" != 1 ]; then
  export NFTLINK_DEMO_INSIDE=1
  beside_the_host KILL unshare --map-root-user --net --mount --pid --fork --kill-child \
    bash "$(realpath "$0")" "$(realpath "$1")" "$(realpath "$2")"
fi

programs=$1 configuration=$2
mount -t proc proc /proc
mount -t tmpfs tmpfs /run  # `ip netns` keeps its names there, and we our files
work=/run/demo
mkdir "$work"

inside() { local name=$1; shift; nsenter --net="/run/netns/$name" "$@"; }

# container NAME ADDRESS BRIDGE ROUTER: a namespace with one leg on that bridge.
container() {
  local name=$1 address=$2 bridge=$3 router=$4
  ip netns add "$name"
  ip link add "veth-$name" type veth peer name eth0 netns "$name"
  ip link set "veth-$name" master "$bridge" up
  ip -n "$name" link set lo up
  ip -n "$name" link set eth0 up
  ip -n "$name" address add "$address/16" dev eth0
  ip -n "$name" route add default via "$router"
}

connects() { inside "$1" timeout 1 bash -c ": </dev/tcp/$2/$3"; }
times_out() { connects "$@"; [ $? -eq 124 ]; }
global_switches_off() { [ "$(sort -u /proc/sys/net/bridge/bridge-nf-call-ip{,6}tables)" = 0 ]; }
own_switch_on() { ip -details link show docker0 | grep -q 'nf_call_iptables 1'; }

title "A host that routes, with docker0 and three containers on it, and br-web with one"
# A new namespace may start with them on; then docker0's own switch would prove nothing.
echo 0 | tee /proc/sys/net/bridge/bridge-nf-call-ip{,6}tables >/dev/null
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
for bridge in docker0:172.17.0.1 br-web:172.18.0.1; do
  ip link add "${bridge%:*}" type bridge
  ip link set "${bridge%:*}" up
  ip address add "${bridge#*:}/16" dev "${bridge%:*}"
done
container redis 172.17.0.2 docker0 172.17.0.1
container client 172.17.0.3 docker0 172.17.0.1
container stranger 172.17.0.4 docker0 172.17.0.1
container web 172.18.0.2 br-web 172.18.0.1
# Debian ships the server in redis-tools, as redis-check-rdb; it is what it is called by.
ln -s "$(command -v redis-check-rdb)" "$work/redis-server"
for port in 6379 6380; do
  inside redis "$work/redis-server" --port "$port" --bind 172.17.0.2 --protected-mode no --save '' --appendonly no \
    --dir "$work" >/dev/null 2>&1 &
done
expect "redis 172.17.0.2 serves on 6379, and on 6380 which it does not expose" \
  eval 'wait_for connects redis 172.17.0.2 6379 && wait_for connects redis 172.17.0.2 6380'
expect "without nftlink the stranger at 172.17.0.4 reaches redis" connects stranger 172.17.0.2 6379
expect "without nftlink the client reaches redis' other port" connects client 172.17.0.2 6380
expect "without nftlink web on br-web reaches redis on docker0" connects web 172.17.0.2 6379

title "nftlink env client"
"$programs/nftlink" env client -c "$configuration" | tee "$work/environment" | show
expect "the client knows where its db is" grep -qx 'DB_PORT=tcp://172.17.0.2:6379' "$work/environment"

title "nftlinkd puts the link into nf_tables"
# The same with a socket and a state directory of the demo's own.
service_configuration=$work/nftlink.yaml
{ cat "$configuration" && printf '\ncontrol: {socket: %s/socket, group: "%s"}\nstate: {directory: %s/state}\n' "$work" "$(id -g)" "$work"; } \
  >"$service_configuration"
"$programs/nftlinkd" -c "$service_configuration" 2>"$work/log" &
service=$!
expect "its table is there" wait_for nft list chain inet nftlink errors
expect "docker0's own bridge netfilter switch is on" wait_for own_switch_on
expect "and the global ones are off, as before" global_switches_off
nft list table inet nftlink | show
table_without_counters >"$work/table"

title "The client, through its link"
in_client() {
  inside client "$programs/nftlink" run client -c "$configuration" -- \
    sh -c "timeout 2 redis-cli -h \$DB_PORT_6379_TCP_ADDR -p \$DB_PORT_6379_TCP_PORT $1"
}
# answers COMMAND ANSWER
answers() { [ "$(in_client "$1")" = "$2" ]; }
for command in ping "set story 'links without iptables'" "get story"; do
  prompt "redis-cli -h \$DB_PORT_6379_TCP_ADDR -p \$DB_PORT_6379_TCP_PORT $command"
  in_client "$command" 2>&1 | show
done
expect "the client gets its PONG" answers ping PONG
expect "what was stored comes back" answers "get story" "links without iptables"

title "Everybody else"
expect "the stranger times out" times_out stranger 172.17.0.2 6379
expect "redis' other port is closed to the client" times_out client 172.17.0.2 6380

title "Somebody runs: nft flush ruleset"
nft flush ruleset
healed() { table_without_counters | cmp -s - "$work/table"; }
expect "the table is back as it was" wait_for healed
tail -n 1 "$work/log" | show
expect "the client is still in" answers ping PONG
expect "the stranger is still out" times_out stranger 172.17.0.2 6379

title "nftlink tells the running service of a link for the stranger, and takes it back"
tell() { "$programs/nftlink" "$@" -c "$service_configuration"; }
tell add stranger --bridge docker0 --address 172.17.0.4 --link redis 2>&1 | show
expect "the stranger reaches redis" connects stranger 172.17.0.2 6379
tell list | show
tell rm stranger 2>&1 | show
expect "and doesn't any more" times_out stranger 172.17.0.2 6379

title "A second bridge: nothing is routed from one to the other but by a link"
tell add web --bridge br-web --address 172.18.0.2 2>&1 | show
expect "web on br-web doesn't reach redis on docker0 any more" times_out web 172.17.0.2 6379
tell link web redis:db 2>&1 | show
expect "linked, it does" connects web 172.17.0.2 6379
expect "and not its other port" times_out web 172.17.0.2 6380
tell list | show
tell unlink web db 2>&1 | show
expect "unlinked, it doesn't" times_out web 172.17.0.2 6379

title "Counters"
nft list set inet nftlink links4 | grep -o '"docker0"[^}]*comment "[^"]*"' | tee "$work/link" | show
nft list set inet nftlink denied | grep -o '"docker0" counter[^,}]*' | tee "$work/drop" | show
expect "the link's packets are counted" grep -Eq 'counter packets [1-9][0-9]* .*comment "/client/db"' "$work/link"
expect "and the stranger's, dropped" grep -Eq 'counter packets [1-9]' "$work/drop"

conclude "$service" "$work/log"
