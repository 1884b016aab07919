#!/usr/bin/env bash
# Fetches Debian's arm64 kernels for the conformance tests: scripts/fetch-kernels.sh DIR NAME...
#
# Each is downloaded through apt and unpacked, not installed, into DIR/NAME. apt runs with lists and settings of its own
# under DIR, so neither root nor the machine's packages are touched; only the mirror is taken from /etc/apt.
# The tests know the versions listed here by their SHA-256. While the mirror still has one it is taken, else the newest
# of its kind, which serves the tests that need no recording.
set -euo pipefail
export LC_ALL=C

usage() {
  echo "usage: $0 DIR NAME..., where NAME is one of 5.10 6.1 6.1-cloud 6.12 6.12-16k 6.17 7.3" >&2
  exit 2
}

# SUITE, then for each package: pattern of its name, recorded name.
packages_of() {
  case $1 in
    5.10) echo bullseye 'linux-image-5\.10\.0-[0-9]+-arm64' linux-image-5.10.0-32-arm64 ;;
    6.1) echo bookworm-security 'linux-image-6\.1\.0-[0-9]+-arm64' linux-image-6.1.0-56-arm64 ;;
    6.1-cloud) echo bookworm-security 'linux-image-6\.1\.0-[0-9]+-cloud-arm64' linux-image-6.1.0-56-cloud-arm64 ;;
    6.12) echo trixie 'linux-image-6\.12\.[0-9]+\+deb13-arm64' linux-image-6.12.107+deb13-arm64 ;;
    6.12-16k) echo trixie 'linux-image-6\.12\.[0-9]+\+deb13-arm64-16k' linux-image-6.12.107+deb13-arm64-16k ;;
    6.17) echo trixie-backports 'linux-image-6\.17\.[0-9]+\+deb13-arm64' linux-image-6.17.13+deb13-arm64 ;;
    # Image and modules are packages of their own from 7.x on.
    7.3) echo trixie-backports 'linux-binary-7\.3\.[0-9]+\+deb13-arm64' linux-binary-7.3.4+deb13-arm64 \
      'linux-modules-7\.3\.[0-9]+\+deb13-arm64' linux-modules-7.3.4+deb13-arm64 ;;
    *) usage ;;
  esac
}

# The base of the mirror that /etc/apt names, in the one-line and the deb822 format.
mirror() {
  { find /etc/apt/sources.list /etc/apt/sources.list.d -type f -exec cat {} + 2>/dev/null || true; } |
    sed -nE 's,^(deb|URIs:)[[:space:]](.*[[:space:]])?(https?://[^[:space:]]+/debian)/?([[:space:]].*)?$,\3,p' | sed -n 1p
}

# Runs an apt tool on lists of its own: apt SUITE TOOL ARGUMENT...
apt() {
  local state=$DIR/.apt/$1
  "$2" -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User="$(id -un)" \
    -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null "${@:3}"
}

update() { # SUITE
  local suite=$1 state=$DIR/.apt/$1 base=$MIRROR
  [ ! -e "$state/updated" ] || return 0
  mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
  touch "$state/status"
  case $suite in *-security) base+=-security ;; esac
  # Signatures of suites the machine does not use cannot be checked; the tests go by SHA-256.
  echo "deb [trusted=yes] $base $suite main" >"$state/sources.list"
  apt "$suite" apt-get -qq update >&2
  touch "$state/updated"
}

fetch() { # NAME SUITE PATTERN RECORDED [PATTERN RECORDED]...
  local name=$1 suite=$2 names package download
  shift 2
  update "$suite"
  download=$(mktemp -d "$DIR/.download.XXXXXX")
  while [ $# -gt 0 ]; do
    names=$(apt "$suite" apt-cache pkgnames | grep -xE -- "$1" || true)
    package=$(grep -xF -- "$2" <<<"$names" || sort -V <<<"$names" | tail -n 1)
    [ -n "$package" ] || {
      echo "$name: $suite has no package like $1" >&2
      exit 1
    }
    (cd "$download" && apt "$suite" apt-get -qq download "$package" >&2)
    dpkg-deb -x "$download"/*.deb "$download/unpacked"
    rm "$download"/*.deb
    echo "$name: $package"
    shift 2
  done
  rm -rf "${DIR:?}/$name"
  mv "$download/unpacked" "$DIR/$name"
  rmdir "$download"
}

[ $# -ge 2 ] || usage
mkdir -p "$1"
DIR=$(cd "$1" && pwd)
shift
for name in "$@"; do packages_of "$name" >/dev/null; done
for tool in apt-get apt-cache dpkg-deb; do
  command -v "$tool" >/dev/null || {
    echo "$0: $tool is missing: this needs Debian's apt" >&2
    exit 1
  }
done
MIRROR=$(mirror)
[ -n "$MIRROR" ] || {
  echo "$0: /etc/apt names no Debian mirror" >&2
  exit 1
}
for name in "$@"; do
  if find "$DIR/$name" -name 'vmlinuz*' -type f 2>/dev/null | grep -q .; then
    echo "$name: have it"
    continue
  fi
  # shellcheck disable=SC2046 # words
  fetch "$name" $(packages_of "$name")
done
