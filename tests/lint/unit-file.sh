#!/usr/bin/env bash
# unit-file.sh UNIT: systemd finds nothing wrong with the unit file. The program needn't be built or installed for that.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sed "s|^ExecStart=[^ ]*/nftlinkd|ExecStart=/bin/true|" "$1" >"$folder/nftlinkd.service"
grep -q '^ExecStart=/bin/true' "$folder/nftlinkd.service"
systemd-analyze verify --man=no "$folder/nftlinkd.service"
