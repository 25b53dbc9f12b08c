#!/usr/bin/env bash
# Makes a bare system the root of the mount namespace it is called in, and runs ./dev demo there: inside.sh SYSTEM SECONDS.
# Not chroot: the kernel refuses user namespaces below one, which the demo uses. What is mounted and what runs here ends
# with the namespaces.
set -euo pipefail
cd "$1"
mount --bind . .
cd "$PWD"  # into what is mounted
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
pivot_root . mnt
umount -l /mnt
cd /nftlink
# A proxy is the only thing of ours that is to be known there.
env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  ${http_proxy:+"http_proxy=$http_proxy"} timeout "$2" ./dev demo
