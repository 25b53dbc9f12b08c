# Functions of dev: what tests and the demo need beside packages that are installed.
# dev has say, need and available.

# Real container engines for the tests; these libraries are all that is installed for them.
engine_libraries=(libdevmapper1.02.1 'libgpgme11|libgpgme11t64' 'libsubid4|libsubid5' libseccomp2
  'libglib2.0-0|libglib2.0-0t64' libsqlite3-0 libsystemd0 redis-tools iptables util-linux)
# The program docker has a package of its own since Debian 13.
engine_packages=(docker.io 'docker-cli|docker.io' containerd runc tini podman conmon netavark aardvark-dns busybox-static)

# Prometheus' own checker of metrics. Its package would start a service and bring many others: only this program is taken out
# of it, into build/tools, and nothing is installed.
need_promtool() {
  PATH+=:$PWD/build/tools
  command -v promtool >/dev/null && return 0
  say "fetching promtool"
  local work=build/tools/new
  rm -rf "$work"
  mkdir -p "$work"
  if ! (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg-deb -x ./*.deb .); then
    say "cannot download prometheus: is the network there, and apt's list of packages new (apt-get update)?"
    exit 1
  fi
  mv "$work/usr/bin/promtool" build/tools/
  rm -r "$work"
}

# Docker and Podman. Their packages would start services, and Docker's edits the host's iptables: their programs are taken out
# into build/tools/engines, and nothing of them is installed. Takes 75 MB from the network, once.
need_engines() {
  need "${engine_libraries[@]}"
  [ -e build/tools/engines/complete ] && return 0
  say "fetching container engines"
  local work=build/tools/engines.new package packages
  mapfile -t packages < <(available "${engine_packages[@]}")
  rm -rf "$work" build/tools/engines
  mkdir -p "$work/packages"
  if ! (cd "$work/packages" && apt-get -qq -o APT::Sandbox::User=root download "${packages[@]}"); then
    say "cannot download ${packages[*]}: is the network there, and apt's list of packages new (apt-get update)?"
    exit 1
  fi
  for package in "$work"/packages/*.deb; do
    dpkg-deb -x "$package" "$work"
  done
  rm -r "$work/packages" "$work/usr/share"
  touch "$work/complete"
  mv "$work" build/tools/engines
}

# Within one bridge the packets pass nf_tables only where the kernel has br_netfilter. Loading that module switches it on
# for all bridges of the host, so it is switched off there at once, and unloaded at the end.
need_bridge_netfilter() {
  [ -d /proc/sys/net/bridge ] && return 0
  if [ "$EUID" -ne 0 ]; then
    say "the kernel module br_netfilter is not loaded, and only root can do that: modprobe br_netfilter"
    exit 1
  fi
  say "loading the kernel module br_netfilter, for as long as this takes"
  modprobe br_netfilter
  trap 'modprobe -r br_netfilter' EXIT
  echo 0 | tee /proc/sys/net/bridge/bridge-nf-call-{arp,ip,ip6}tables >/dev/null
}
