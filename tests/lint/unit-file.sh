#!/usr/bin/env bash
# The systemd unit holds: checked with the built program in the place of the installed one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed "s|^ExecStart=[^ ]*|ExecStart=$(realpath "$2")|" "$1" > "$folder/nftlinkd.service"
grep -q "^ExecStart=$(realpath "$2")" "$folder/nftlinkd.service"
systemd-analyze verify --man=no "$folder/nftlinkd.service"
