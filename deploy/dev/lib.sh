# shellcheck shell=bash
# What the scripts share: Debian packages and the build. Sourced, with `set -euo pipefail` in force.

WARPBOOK_ROOT=$(unset CDPATH && cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() { printf '%s\n' "$*"; }
fail() {
  printf '%s: %s\n' "${0#"$WARPBOOK_ROOT/"}" "$*" >&2
  exit 1
}

# packages_of GROUP...: the packages of these groups in deploy/dev/packages.
packages_of() {
  local groups=" $* " group package
  while read -r group package _; do
    if [[ -n $package && $groups == *" $group "* ]]; then printf '%s\n' "$package"; fi
  done <"$WARPBOOK_ROOT/deploy/dev/packages"
}

# missing_packages GROUP...: those that are neither installed nor provided by another one (as npm is by Node.js's
# own package).
missing_packages() {
  local package status provided
  # shellcheck disable=SC2016  # dpkg-query's own variables
  provided=$(dpkg-query -W -f '${db:Status-Status} ${Provides}\n' 2>/dev/null | sed -n 's/^installed //p' | tr ',' '\n')
  for package in $(packages_of "$@"); do
    # shellcheck disable=SC2016  # dpkg-query's own variable
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=none
    if [[ $status != installed ]] && ! grep -qE "^ *$package( |\$)" <<<"$provided"; then printf '%s\n' "$package"; fi
  done
}

# as_root COMMAND...: runs it as root, through sudo where we are somebody else.
as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Whether as_root works: sudo may ask for a password where there is somebody to type it.
can_be_root() {
  if ((EUID == 0)); then return 0; fi
  if ! command -v sudo >/dev/null; then return 1; fi
  sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo true; }
}

# install_packages GROUP...: installs what is missing. Where that needs a root that we cannot be,
# prints the command and exits with 2.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if ((${#missing[@]} == 0)); then return; fi
  if ! command -v apt-get >/dev/null; then fail "this needs Debian 12, and here is no apt-get"; fi
  local -a install=(apt-get install -y --no-install-recommends "${missing[@]}")
  if ! can_be_root; then
    say "Packages are missing, and without root or sudo they cannot be installed here. As root:"
    if [[ " ${missing[*]} " == *" postgresql-15 "* ]]; then
      say "  mkdir -p ${WARPBOOK_CLUSTER_CONF%/*} && echo 'create_main_cluster = false'" \
        ">$WARPBOOK_CLUSTER_CONF  # no cluster of Debian's own on port 5432"
    fi
    if [[ " ${missing[*]} " == *" prometheus "* ]]; then
      say "  mkdir -p ${prometheus_unit%/*} && ln -s /dev/null $prometheus_unit" \
        "# no service of Debian's own on port 9090"
    fi
    say "  apt-get update && ${install[*]}"
    exit 2
  fi
  say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  as_root apt-get update -q
  local status=0
  # In a shell of its own, whose end undoes what it did to /etc, also where a signal ends it: by a trap,
  # as with one the shell outlives apt-get.
  (
    trap 'trap "" INT TERM HUP; allow_debian_cluster; unmask_debian_prometheus' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    forbid_debian_cluster && mask_debian_prometheus "${missing[@]}" &&
      as_root env DEBIAN_FRONTEND=noninteractive "${install[@]}" </dev/null
  ) || status=$?
  if ((status > 128)); then exit "$status"; fi
  if ((status != 0)); then fail "apt-get could not install the packages"; fi
}

# Debian's PostgreSQL package makes a cluster on port 5432 and starts it when it is first installed.
# Ours is private, so that one is not made; what is there already stays as it is.
readonly WARPBOOK_CLUSTER_CONF=/etc/postgresql-common/createcluster.d/warpbook.conf
forbid_debian_cluster() {
  as_root mkdir -p "$(dirname "$WARPBOOK_CLUSTER_CONF")"
  say "create_main_cluster = false" | as_root tee "$WARPBOOK_CLUSTER_CONF" >/dev/null
}
allow_debian_cluster() { as_root rm -f "$WARPBOOK_CLUSTER_CONF"; }

# Debian's Prometheus package starts a service on port 9090, and again with each boot. Ours is private,
# so that unit is masked before the package is first installed, and stays so: removing the link, or
# `systemctl unmask prometheus`, gives it back.
prometheus_unit=/etc/systemd/system/prometheus.service
masked_prometheus=false
mask_debian_prometheus() {
  if [[ " $* " != *" prometheus "* || -e $prometheus_unit || -L $prometheus_unit ]]; then
    return 0
  fi
  say "Debian's own prometheus.service is masked, so that it does not start: systemctl unmask prometheus gives it back."
  as_root mkdir -p "${prometheus_unit%/*}"
  as_root ln -s /dev/null "$prometheus_unit"
  masked_prometheus=true
}
# Where the installation came to nothing.
unmask_debian_prometheus() {
  if [[ $masked_prometheus == true && " $(missing_packages observe) " == *" prometheus "* ]]; then
    as_root rm -f "$prometheus_unit"
  fi
}

# build FOLDER CMAKE_OPTION... -- TARGET...: configures and builds, Release unless told otherwise.
build() {
  local folder=$1 option
  shift
  local -a options=()
  while (($# > 0)); do
    option=$1
    shift
    if [[ $option == -- ]]; then break; fi
    options+=("$option")
  done
  cmake -S "$WARPBOOK_ROOT" -B "$folder" -G Ninja "${options[@]}" >"$folder.configure.log" 2>&1 || {
    cat "$folder.configure.log" >&2
    fail "the configuration failed"
  }
  rm -f "$folder.configure.log"
  cmake --build "$folder" ${1:+--target "$@"} || fail "the build failed"
}
