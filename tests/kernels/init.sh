#!/bin/sh
# The first process of the emulated machine: runs the kernel suite without br_netfilter and with it, and sends each
# report to the host through the second serial port. The machine is all ours, so nothing is cleaned up.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
stty -F /dev/ttyS1 raw
. /settings

send() { tar -C /tmp -c "$1.xml" >/dev/ttyS1; }
now() { cut -d ' ' -f 1 /proc/uptime; }

# suite NAME FILTER
suite() {
  echo "== $1 starts at $(now) s"
  local status=0
  "$KERNEL_TEST" --gtest_filter="$2" --gtest_output="xml:/tmp/$1.xml" --gtest_color=no || status=$?
  echo "== $1 ends at $(now) s with status $status"
}

echo "== Linux $(uname -r), up at $(now) s"
suite bridge "$BRIDGE_FILTER"
if [ -e /proc/sys/net/bridge ]; then
  echo "== br_netfilter has been loaded, so that run proves nothing"
else
  echo "== all that without br_netfilter: there is no /proc/sys/net/bridge"
  send bridge
fi

modprobe br_netfilter
for switch in arp ip ip6; do echo 0 >"/proc/sys/net/bridge/bridge-nf-call-${switch}tables"; done
suite others "$OTHERS_FILTER"
send others
echo "== end at $(now) s"
poweroff -f
