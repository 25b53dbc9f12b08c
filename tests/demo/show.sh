# What the demos have in common; they source it.
bold='' green='' red='' dim='' plain=''
[ -t 1 ] && bold=$'\e[1m' green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'

title() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
show() { sed "s/^/  $dim│$plain /"; }
prompt() { printf '  %s$%s %s\n' "$dim" "$plain" "$1"; }

failures=0
# verdict WHAT STATUS: a tick when the status is 0.
verdict() {
  if [ "$2" -eq 0 ]; then
    printf '  %s✓%s %s\n' "$green" "$plain" "$1"
  else
    printf '  %s✗ %s%s\n' "$red" "$1" "$plain"
    failures=$((failures + 1))
  fi
}

expect() { local what=$1; shift; "$@" >/dev/null 2>&1; verdict "$what" $?; }
wait_for() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return 0; sleep 0.05; done; return 1; }

# The rules as they are, without what they have counted.
table_without_counters() { nft --stateless list table inet nftlink; }

# types COMMAND: shows it and runs it as a user would, and shows what it says; $said has that too.
said=
types() {
  prompt "$1"
  said=$(eval "$1" 2>&1)
  local status=$?
  [ -z "$said" ] || show <<<"$said"
  return "$status"
}

# beside_the_host SIGNAL COMMAND…: runs it and exits as it does. It makes namespaces of its own, and what is made in them goes
# with them, whatever ends the demo: that signal ends it then.
beside_the_host() {
  local signal=$1 before status
  shift
  host_ruleset() { nft --stateless list ruleset 2>/dev/null; }  # of an ordinary user: empty
  before=$(host_ruleset)
  "$@" &
  holder=$!
  trap "kill -$signal $holder 2>/dev/null; wait $holder 2>/dev/null; exit 130" INT TERM HUP
  wait "$holder"
  status=$?
  if [ "$EUID" -eq 0 ] && [ "$before" != "$(host_ruleset)" ]; then
    verdict "the host's own ruleset is as it was" 1
    status=1
  fi
  exit "$status"
}

# conclude SERVICE LOG: ends nftlinkd and the demo; when something did not hold, with what nftlinkd said.
conclude() {
  gone() { ! kill -0 "$1"; }
  kill "$1"
  wait_for gone "$1" || kill -KILL "$1"
  wait "$1"
  verdict "nftlinkd ends when told to" $?
  echo
  if [ "$failures" -ne 0 ]; then
    echo "${red}$failures of these did not hold.${plain} What nftlinkd said:"
    show <"$2"
    exit 1
  fi
  echo "${green}All of it held.${plain}"
}
