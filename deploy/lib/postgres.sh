# shellcheck shell=bash
# A private PostgreSQL: a Unix socket that nobody else may enter, no TCP, everything durable.
# Sourced.
#
# PostgreSQL does not run as root. For root it runs as Debian's user `postgres`, with its data in
# /var/lib, as that user may not be able to enter the checkout; for anybody else it runs as that
# user, under .var. Either way $VAR/postgres.path names the folder, which holds data/ and socket/.

readonly POSTGRES_BIN=/usr/lib/postgresql/15/bin
readonly DATABASE=warpbook
readonly SOCKET_PATH_MAX=107 # bytes that the kernel allows, of which 14 are /.s.PGSQL.5432

# as_postgres COMMAND...: runs it as the user whom PostgreSQL runs as.
as_postgres() {
  if ((EUID == 0)); then
    (cd / && setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
  else
    "$@"
  fi
}

# Sets POSTGRES_HOME and POSTGRES_SOCKET. The checkout's path names what lies outside of it.
locate_postgres() {
  local hash
  hash=$(sha256sum <<<"$WARPBOOK_ROOT" | cut -c1-8)
  POSTGRES_HOME=$VAR/postgres
  if ((EUID == 0)); then POSTGRES_HOME=/var/lib/warpbook-$hash; fi
  POSTGRES_SOCKET=$POSTGRES_HOME/socket
  # A path that is too long, or that a list or a connection string would not take as it is.
  if ((${#POSTGRES_SOCKET} + 14 > SOCKET_PATH_MAX)) ||
    [[ $POSTGRES_SOCKET == *[!A-Za-z0-9/._-]* ]]; then
    POSTGRES_SOCKET=/tmp/warpbook-$EUID-$hash
  fi
}

remove_postgres() {
  stop_stray_postgres
  rm -rf "$POSTGRES_HOME" "$POSTGRES_SOCKET" "$VAR/postgres.path"
}

# is_our_postgres PID: whether this process is PostgreSQL on our data, in whose folder it runs then.
is_our_postgres() {
  [[ $1 =~ ^[0-9]+$ && $(readlink "/proc/$1/exe") == "$POSTGRES_BIN/postgres"* &&
    "/proc/$1/cwd" -ef $POSTGRES_HOME/data ]]
}

# Stops one that outlived its supervisor. Where it left nothing but its number, that may be anybody's
# by now, who is left alone; the file goes, because with it PostgreSQL would not start.
stop_stray_postgres() {
  local data=$POSTGRES_HOME/data pid=""
  if [[ ! -s $data/postmaster.pid ]]; then return; fi
  read -r pid <"$data/postmaster.pid" || true
  if is_our_postgres "$pid"; then
    as_postgres "$POSTGRES_BIN/pg_ctl" stop -s -m fast -D "$data" 2>/dev/null || true
  else
    rm -f "$data/postmaster.pid"
  fi
}

# Makes the cluster where there is none; one that was only half made has another name.
make_cluster() {
  local folder
  if [[ -e $POSTGRES_HOME && ! -e $VAR/postgres.path ]]; then
    remove_postgres # what a .var that somebody removed has left behind
  fi
  stop_stray_postgres
  say "$POSTGRES_HOME" >"$VAR/postgres.path"
  for folder in "$POSTGRES_HOME" "$POSTGRES_SOCKET"; do
    mkdir -p "$folder"
    chmod 700 "$folder"
    if ((EUID == 0)); then chown postgres:postgres "$folder"; fi
    if ((EUID != 0)) && [[ ! -O $folder ]]; then fail "$folder belongs to somebody else"; fi
  done
  if [[ -s $POSTGRES_HOME/data/PG_VERSION ]]; then return; fi
  rm -rf "$POSTGRES_HOME/new"
  # Trust is safe: only this user can enter the socket's folder.
  as_postgres "$POSTGRES_BIN/initdb" --pgdata "$POSTGRES_HOME/new" --username postgres \
    --auth-local trust --auth-host reject --encoding UTF8 --locale C.UTF-8 \
    >>"$LOGS/postgres.log" 2>&1 || fail "the cluster cannot be made: see $LOGS/postgres.log"
  mv "$POSTGRES_HOME/new" "$POSTGRES_HOME/data"
}

exec_postgres() {
  cd /
  local -a as=()
  if ((EUID == 0)); then as=(--reuid=postgres --regid=postgres --init-groups); fi
  # SIGINT is PostgreSQL's fast shutdown: it does not wait for its clients.
  exec env --default-signal=INT,QUIT setsid setpriv "${as[@]}" --pdeathsig INT -- \
    "$POSTGRES_BIN/postgres" -D "$POSTGRES_HOME/data" \
    -c "unix_socket_directories=$POSTGRES_SOCKET" -c unix_socket_permissions=0700 \
    -c listen_addresses= -c port=5432 -c max_connections=20 -c fsync=on
}

postgres_answers() { "$POSTGRES_BIN/pg_isready" -q -h "$POSTGRES_SOCKET"; }

# conninfo USER [DATABASE]: how a program connects.
conninfo() { printf 'host=%s user=%s dbname=%s' "$POSTGRES_SOCKET" "$1" "${2:-$DATABASE}"; }

# make_database NAME [anew]: where it is not there; or in place of the one that is.
make_database() {
  local -a psql=(psql -X -q -A -t -h "$POSTGRES_SOCKET" -U postgres -d postgres)
  if [[ ${2:-} == anew ]]; then "${psql[@]}" -c "DROP DATABASE IF EXISTS $1" 2>/dev/null; fi
  if [[ $("${psql[@]}" -c "SELECT 1 FROM pg_database WHERE datname = '$1'") == 1 ]]; then return; fi
  "${psql[@]}" -c "CREATE DATABASE $1"
}
