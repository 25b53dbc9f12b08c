#!/bin/sh
# The first process of the emulated machine: runs the kernel suite without br_netfilter and with it, then the program
# suites, and sends each report to the host through the second serial port. The machine is all ours, so nothing is
# cleaned up.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
stty -F /dev/ttyS1 raw
. /settings

send() { tar -C /tmp -c "$1" >/dev/ttyS1; }
now() { cut -d ' ' -f 1 /proc/uptime; }

# timed NAME COMMAND…
timed() {
  local name=$1 status=0
  shift
  echo "== $name starts at $(now) s"
  "$@" || status=$?
  echo "== $name ends at $(now) s with status $status"
}

# suite NAME FILTER
suite() { timed "$1" "$KERNEL_TEST" --gtest_filter="$2" --gtest_output="xml:/tmp/$1.xml" --gtest_color=no; }

# script NAME FILE ARGUMENT…: one of pytest's.
script() {
  local report="/tmp/$1.xml" file="/tests/$2"
  shift 2
  python3 -B -m pytest --build="$BUILD" --junitxml="$report" "$file" "$@"
}

program_suite() {
  case $1 in
    frames) script frames program/service/frames_test.py ;;
    equivalence)
      script equivalence equivalence/equivalence_test.py '--group=bridge table' --topologies="$TOPOLOGIES"
      ;;
  esac
}

echo "== Linux $(uname -r), up at $(now) s"
suite bridge "$BRIDGE_FILTER"
if [ -e /proc/sys/net/bridge ]; then
  echo "== br_netfilter has been loaded, so that run proves nothing"
else
  echo "== all that without br_netfilter: there is no /proc/sys/net/bridge"
  send bridge.xml
fi

modprobe br_netfilter
for switch in arp ip ip6; do echo 0 >"/proc/sys/net/bridge/bridge-nf-call-${switch}tables"; done
suite others "$OTHERS_FILTER"
send others.xml

modprobe -a iptable_filter ip6table_filter  # iptables-legacy's own modprobe may not, in the user namespace of a script
for name in $PROGRAM_SUITES; do
  timed "$name" program_suite "$name"
  send "$name.xml"
done
echo "== end at $(now) s"
poweroff -f
