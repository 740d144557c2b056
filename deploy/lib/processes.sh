# shellcheck shell=bash
# Long-running programs under one supervisor. Sourced. For a program NAME there is a function
# exec_NAME, which replaces its shell by the program, and a log, $LOGS/NAME.log.
#
# Each program has a session of its own, so that Ctrl-C reaches the supervisor alone, which then
# stops them in order; and each gets a signal if the supervisor itself is killed.

# With a trap of ours the shell does not report by itself which process a signal has ended.
# shellcheck disable=SC2173  # it is never called
trap : KILL ABRT SEGV BUS FPE ILL

declare -A PROCESS=()       # name: process id
declare -A RESTARTS=()      # name: times of its last restarts, in seconds
readonly RESTARTS_MAX=5     # within ...
readonly RESTARTS_WITHIN=60 # ... so many seconds; one more is a failure
readonly STOP_SECONDS=20    # from SIGTERM to SIGKILL

# exec_alone SIGNAL COMMAND...: becomes the command, in its own session; it gets the signal if the
# supervisor dies.
exec_alone() {
  local signal=$1
  shift
  exec env --default-signal=INT,QUIT setsid setpriv --pdeathsig "$signal" -- "$@"
}

start() {
  local name=$1
  ("exec_$name") </dev/null >>"$LOGS/$name.log" 2>&1 &
  PROCESS[$name]=$!
}

alive() { [[ -n ${PROCESS[$1]:-} ]] && kill -0 "${PROCESS[$1]}" 2>/dev/null; }

# status_of NAME: waits for its end and prints how it ended.
status_of() {
  local status=0
  wait "${PROCESS[$1]}" 2>/dev/null || status=$?
  if ((status > 128)); then
    printf 'killed by SIG%s' "$(kill -l $((status - 128)))"
  else
    printf 'exit status %d' "$status"
  fi
}

# revive NAME: starts again what has died, unless it has died too often.
revive() {
  local name=$1 ended at
  local -a recent=()
  ended=$(status_of "$name")
  for at in ${RESTARTS[$name]:-}; do
    if ((SECONDS - at < RESTARTS_WITHIN)); then recent+=("$at"); fi
  done
  if ((${#recent[@]} >= RESTARTS_MAX)); then
    fail "$name died again ($ended), ${#recent[@]} times in a minute: see $LOGS/$name.log"
  fi
  notice "$name died ($ended) and is started again; its log is $LOGS/$name.log"
  RESTARTS[$name]="${recent[*]} $SECONDS"
  if ((${#recent[@]} > 0)); then pause 1; fi
  start "$name"
}

# stop NAME [SIGNAL]: asks it to end, waits, and kills it if it does not. Status 0 where it ended by
# itself and well, or was not there.
stop() {
  local name=$1 signal=${2:-TERM} tenths=$((STOP_SECONDS * 10)) status=0
  if [[ -z ${PROCESS[$name]:-} ]]; then return; fi
  kill -"$signal" "${PROCESS[$name]}" 2>/dev/null || true
  while alive "$name" && ((tenths-- > 0)); do pause 0.1; done
  if alive "$name"; then
    notice "$name did not end within $STOP_SECONDS s and is killed: see $LOGS/$name.log"
    kill -KILL "${PROCESS[$name]}" 2>/dev/null || true
  fi
  wait "${PROCESS[$name]}" 2>/dev/null || status=$?
  unset "PROCESS[$name]"
  return "$status"
}

# await NAME SECONDS CONDITION...: until the condition holds; a failure if NAME dies or time is up.
await() {
  local name=$1 tenths=$(($2 * 10))
  shift 2
  until "$@"; do
    if ! alive "$name"; then fail "$name ended ($(status_of "$name")): see $LOGS/$name.log"; fi
    if ((tenths-- <= 0)); then fail "$name is not ready in time: see $LOGS/$name.log"; fi
    pause 0.1
  done
}

# A sleep that a trap can interrupt at once.
pause() {
  sleep "$1" &
  wait $! || true
}

# port_is_busy PORT: whether something listens there.
port_is_busy() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# http_ok PORT PATH: whether the server on loopback answers with 200.
http_ok() {
  local answer=""
  exec 3<>"/dev/tcp/127.0.0.1/$1" || return 1
  printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3
  read -r -t 2 answer <&3 || true
  exec 3<&-
  [[ $answer == "HTTP/1.1 200"* ]]
} 2>/dev/null
