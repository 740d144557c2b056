# shellcheck shell=bash
# A bare Debian 12 in a folder, by mmdebstrap, with this machine's apt sources. Sourced.

# apt_sources: this machine's Debian archives, one deb line each.
apt_sources() {
  # shellcheck disable=SC2016  # apt's own variables
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 'Origin: Debian' | sort -u
}

# proxy_options: how apt reaches them from here.
proxy_options() {
  apt-config dump Acquire | sed -n 's/^\(Acquire::https\?::Proxy.*\);$/\1/p'
}

# make_debian ROOT PACKAGES: the least that there is, and these, with commas between them.
make_debian() {
  local -a options=()
  local option
  while read -r option; do options+=("--aptopt=$option"); done < <(proxy_options)
  apt_sources | mmdebstrap --quiet --variant=minbase --include="ca-certificates,$2" \
    "${options[@]}" bookworm "$1" -
}
