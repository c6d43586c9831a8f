# shellcheck shell=bash disable=SC2034
# Sourced by load and generate_aggregates: the arguments that say which server, and the client that goes there.
# connection_args "$@" reads --host --port --user --password --database --csv --help and leaves other words in rest[].

host=127.0.0.1 port=3306 user=root password='' database=pos csv=''
rest=()

connection_args() {
  while (($#)); do
    case $1 in
      --host=* | --port=* | --user=* | --password=* | --database=* | --csv=*)
        printf -v "$(cut -d= -f1 <<<"${1#--}")" %s "${1#*=}" ;;
      --host | --port | --user | --password | --database | --csv)
        (($# > 1)) || { echo "$0: $1 needs a value" >&2; exit 2; }
        printf -v "${1#--}" %s "$2"
        shift ;;
      -h | --help) usage; exit 0 ;;
      -*) echo "$0: unknown option $1 (see --help)" >&2; exit 2 ;;
      *) rest+=("$1") ;;
    esac
    shift
  done
}

# The client's own configuration files are left out, so that only what is said here counts. The password is not an argument of it, which
# other users could see.
client() {
  MYSQL_PWD=$password mariadb --no-defaults --protocol=tcp --host="$host" --port="$port" --user="$user" --default-character-set=utf8mb4 \
    --batch --raw --skip-column-names "$@"
}
