#!/usr/bin/env bash
# The seed's scenario on a real Docker Engine without iptables: docker.sh FOLDER-OF-PROGRAMS. Needs root, as Docker does.
# The engine, its containers and nftlinkd are in namespaces of their own; the host's Docker, files and rules are never touched.
set -uo pipefail
here=$(dirname "$(realpath "$0")")
. "$here/show.sh"

if [ "${NFTLINK_DEMO_INSIDE:-}" != 1 ]; then
  export NFTLINK_DEMO_INSIDE=1
  beside_the_host TERM python3 -B "$here/beside_docker.py" bash "$here/docker.sh" "$(realpath "$1")"
fi

PATH=$1:$PATH
# What the host has there is not the demo's. All of it is in memory and goes with the demo.
for folder in /etc/docker /etc/nftlink /var/lib/docker /var/lib/nftlink; do
  mkdir -p "$folder" && mount -t tmpfs demo "$folder"
done
mkdir /etc/nftlink/conf.d
cd /run || exit 1
log=/run/nftlinkd.log

address() { docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$1"; }
says() { grep -qxF -- "$1" <<<"$said"; }
silent() { [ "$status" -ne 0 ] && [ -z "$said" ]; }
# permitted PARENT-ADDRESS CHILD-ADDRESS
permitted() { local table; table=$(nft list table inet nftlink) && grep -qF "$1 . $2 . tcp . 6379 " <<<"$table"; }
forbidden() { local table; table=$(nft list table inet nftlink) && ! grep -qF "$1 . $2 . tcp . 6379 " <<<"$table"; }
without_iptables() { grep -qzx -- --iptables=false /proc/[0-9]*/cmdline; }

title "Docker isolates containers with iptables, or not at all"
types "dockerd --icc=false --iptables=false 2>&1 | tail -n 1"
expect "without iptables it refuses to" grep -q "ICC=false uses iptables to function" <<<"$said"

title "So without iptables everybody reaches everybody"
ln -sf "${DOCKER_HOST#unix://}" /run/docker.sock
unset DOCKER_HOST
docker tag redis:test redis
types "docker version --format '{{.Server.Version}}'"
expect "a Docker Engine runs with --iptables=false" without_iptables
types "docker run -d --name redis redis"
types "docker run -d --name stranger redis sleep 600"
redis=$(address redis)
expect "redis serves" wait_for docker exec redis redis-cli ping
types "docker exec stranger timeout 1 redis-cli -h $redis ping"
expect "the stranger reaches redis" says PONG
types "nft list ruleset"
expect "there is no rule at all" [ -z "$said" ]

title "nftlinkd comes in"
cat >/etc/nftlink/nftlink.yaml <<'YAML'
sources:
  docker: {socket: /run/docker.sock}
bridges:
  docker0: {icc: deny}
  br-*: {icc: deny}      # Docker's user-defined networks
YAML
types "cat /etc/nftlink/nftlink.yaml"
prompt "nftlinkd &"
nftlinkd 2>"$log" &
service=$!
expect "it follows Docker" wait_for grep -q "following the engine" "$log"
types "nftlink status | grep -E '^(bridges|engine) '"
expect "it polices docker0" grep -q "docker0 .* enforced" <<<"$said"
types "docker exec stranger timeout 1 redis-cli -h $redis ping"
status=$?
expect "the stranger hears nothing any more" silent

title "docker run --link"
types "docker run --rm --name web --link redis:db redis env"
for variable in "DB_PORT=tcp://$redis:6379" "DB_PORT_6379_TCP_ADDR=$redis" DB_NAME=/web/db; do
  expect "Docker tells the client $variable" says "$variable"
done
types "docker run -d --name web --link redis:db redis sleep 600"
web=$(address web)
expect "nftlink lets it in" wait_for permitted "$web" "$redis"
types "docker exec web sh -c 'timeout 1 redis-cli -h \$DB_PORT_6379_TCP_ADDR -p \$DB_PORT_6379_TCP_PORT ping'"
expect "the client gets its PONG" says PONG
types "docker exec stranger timeout 1 redis-cli -h $redis ping"
status=$?
expect "the stranger still hears nothing" silent

title "The rules"
types "nft list table inet nftlink"
expect "one element is the link" permitted "$web" "$redis"
expect "the rest of docker0 is dropped" grep -Eq "counter packets [1-9][0-9]* bytes [0-9]+ drop" <<<"$said"
types "nftlink list"
expect "nftlink counts what passes" grep -Eq "^/web/db .* 6379/tcp +[1-9]" <<<"$said"
table_without_counters >table

title "The same in iptables' words, for who wants Docker's own"
iptables-nft -P FORWARD ACCEPT
words=/etc/nftlink/conf.d/words.yaml
echo "firewall: {layout: rules, replies: source-port, attach: [{family: ip, table: filter, chain: FORWARD}]}" >"$words"
types "cat $words"
types "nftlink reload"
types "iptables-nft -S FORWARD"
expect "redis' replies: Docker's line of --sport" \
  says "-A FORWARD -s $redis/32 -d $web/32 -i docker0 -o docker0 -p tcp -m tcp --sport 6379 -j ACCEPT"
expect "the way to redis: Docker's line of --dport" \
  says "-A FORWARD -s $web/32 -d $redis/32 -i docker0 -o docker0 -p tcp -m tcp --dport 6379 -j ACCEPT"
types "rm $words; nftlink reload"
unchanged() { table_without_counters | cmp -s - table; }
expect "and back again: the table is as it was" unchanged

title "docker stop redis"
types "docker stop redis"
expect "its permission is gone" wait_for forbidden "$web" "$redis"
types "nftlink list"
expect "the link waits for redis" grep -q "redis is not running" <<<"$said"
types "docker run -d --name heir redis"
expect "another container has redis' address now" [ "$(address heir)" = "$redis" ]
expect "and serves there" wait_for docker exec heir redis-cli ping
# Docker refuses `docker exec` in a container whose child is stopped.
types "nsenter --target $(docker inspect --format '{{.State.Pid}}' web) --net timeout 1 redis-cli -h $redis ping"
status=$?
expect "it has inherited nothing" silent
types "docker start redis"
moved=$(address redis)
expect "redis is back, at $moved, and so is its permission" wait_for permitted "$web" "$moved"
types "docker exec web timeout 1 redis-cli -h $moved ping"
expect "the client gets its PONG there" says PONG

title "A network of one's own, where Docker has no variables: a label is the link"
types "docker network create shop"
types "docker run -d --network shop --name store redis"
types "docker run -d --network shop --name till --label nftlink.links=store:db redis sleep 600"
types "docker run -d --network shop --name thief redis sleep 600"
store=$(address store)
expect "nftlink lets the till in" wait_for permitted "$(address till)" "$store"
expect "the store serves" wait_for docker exec store redis-cli ping
types "nftlink env till"
expect "nftlink has the variables" says "DB_PORT=tcp://$store:6379"
types "docker exec till timeout 1 redis-cli -h $store ping"
expect "PONG for the till" says PONG
types "docker exec thief timeout 1 redis-cli -h $store ping"
status=$?
expect "silence for the thief" silent
types "nftlink list"

conclude "$service" "$log"
