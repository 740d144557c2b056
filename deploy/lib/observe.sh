# shellcheck shell=bash
# Prometheus beside the market, and Grafana where it is installed: private ones on loopback, with the
# rules and dashboards of this checkout and with the ports of this market. Sourced.
#
# Debian has Prometheus, but no Grafana. Debian's own service is not used: deploy/dev/lib.sh masks it
# before it is first installed.

readonly PROMETHEUS_VAR=$VAR/prometheus GRAFANA_VAR=$VAR/grafana
readonly PROMETHEUS_DAYS=15d PROMETHEUS_BYTES=2GB # of series that are kept: whichever is less
readonly GRAFANA_HOME=/usr/share/grafana
with_observation=false observe_port="" grafana_port=""

has_grafana() { command -v grafana-server >/dev/null; }

# choose_observation_ports PORT...: beside these, which the market takes. The options are read by then.
choose_observation_ports() {
  if [[ $with_observation == false ]]; then
    if [[ -n $observe_port$grafana_port ]]; then
      usage_error "--observe-port and --grafana-port go with --observe"
    fi
    return
  fi
  observe_port=${observe_port:-9090}
  grafana_port=${grafana_port:-3000}
  if [[ " $* " == *" $observe_port "* ]]; then
    usage_error "Prometheus's port $observe_port is no other port"
  fi
  if [[ " $* $observe_port " == *" $grafana_port "* ]]; then
    usage_error "Grafana's port $grafana_port is no other port"
  fi
}

check_observation_ports() {
  if [[ $with_observation == false ]]; then return; fi
  if port_is_busy "$observe_port"; then
    fail "port $observe_port on 127.0.0.1 is busy: stop what uses it, or choose another with --observe-port"
  fi
  if has_grafana && port_is_busy "$grafana_port"; then
    fail "port $grafana_port on 127.0.0.1 is busy: stop what uses it, or choose another with --grafana-port"
  fi
}

# copy_with FROM TO [WORDS REPLACEMENT]...: the file, with these words replaced where they first stand.
copy_with() {
  local text to=$2
  text=$(<"$1")
  shift 2
  while (($# > 0)); do
    if [[ $text != *"$1"* ]]; then fail "there is no $1 in what $to is made from"; fi
    text=${text%%"$1"*}$2${text#*"$1"}
    shift 2
  done
  printf '%s\n' "$text" >"$to"
}

# configure_observation ADMIN_PORT REPORTS_PORT: Prometheus's configuration with the ports in use, and
# Grafana's provisioning with this checkout's dashboards.
configure_observation() {
  local from=$WARPBOOK_ROOT/deploy kind
  mkdir -p "$PROMETHEUS_VAR"
  # The later one first: its new port may be the other one's default.
  copy_with "$from/prometheus/prometheus.yml" "$PROMETHEUS_VAR/prometheus.yml" \
    127.0.0.1:7402\"] "127.0.0.1:$2\"]" 127.0.0.1:7401\"] "127.0.0.1:$1\"]"
  ln -sfn "$from/prometheus/rules" "$PROMETHEUS_VAR/rules" # beside the file that names them
  for kind in datasources dashboards; do mkdir -p "$GRAFANA_VAR/provisioning/$kind"; done
  copy_with "$from/grafana/provisioning/datasources/warpbook.yml" \
    "$GRAFANA_VAR/provisioning/datasources/warpbook.yml" \
    http://127.0.0.1:9090 "http://127.0.0.1:$observe_port"
  copy_with "$from/grafana/provisioning/dashboards/warpbook.yml" \
    "$GRAFANA_VAR/provisioning/dashboards/warpbook.yml" \
    /usr/share/warpbook/grafana/dashboards "'${from//\'/\'\'}/grafana/dashboards'"
}

exec_prometheus() {
  exec_alone TERM prometheus --config.file="$PROMETHEUS_VAR/prometheus.yml" \
    --storage.tsdb.path="$PROMETHEUS_VAR/data" --storage.tsdb.retention.time="$PROMETHEUS_DAYS" \
    --storage.tsdb.retention.size="$PROMETHEUS_BYTES" \
    --web.listen-address="127.0.0.1:$observe_port" --log.level=warn
}

# Everybody who reaches the port may look, nobody may change anything.
exec_grafana() {
  unset "${!GF_@}"
  export GF_SERVER_HTTP_ADDR=127.0.0.1 GF_SERVER_HTTP_PORT=$grafana_port \
    GF_PATHS_PROVISIONING=$GRAFANA_VAR/provisioning GF_PATHS_DATA=$GRAFANA_VAR/data \
    GF_PATHS_LOGS=$GRAFANA_VAR/logs GF_PATHS_PLUGINS=$GRAFANA_VAR/plugins \
    GF_AUTH_ANONYMOUS_ENABLED=true GF_AUTH_ANONYMOUS_ORG_ROLE=Viewer \
    GF_ANALYTICS_REPORTING_ENABLED=false GF_ANALYTICS_CHECK_FOR_UPDATES=false \
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false
  exec_alone TERM grafana-server --homepath "$GRAFANA_HOME"
}

# start_observation ADMIN_PORT REPORTS_PORT, if it is wanted.
start_observation() {
  if [[ $with_observation == false ]]; then return; fi
  configure_observation "$@"
  start prometheus
  await prometheus 60 http_ok "$observe_port" /-/ready
  if has_grafana; then
    start grafana
    await grafana 120 http_ok "$grafana_port" /api/health
  fi
}

# Two more lines of the welcome, behind others: where to look.
observation_lines() {
  if [[ $with_observation == false ]]; then return; fi
  printf '\n  alerts      http://127.0.0.1:%d/alerts, explained in deploy/RUNBOOK.md' "$observe_port"
  if has_grafana; then
    printf '\n  dashboards  http://127.0.0.1:%d/dashboards' "$grafana_port"
  else
    printf '\n  dashboards  in a Grafana of yours: GF_PATHS_PROVISIONING=%s grafana-server ...' \
      "$GRAFANA_VAR/provisioning"
  fi
}

# What earlier runs recorded is of another market.
forget_observation() { rm -rf "$PROMETHEUS_VAR" "$GRAFANA_VAR/provisioning"; }
