# Sourced by ./dev: puts Debian packages in place.

# Prints the packages of list file $1 that are not installed.
missing_packages() {
  local wanted
  wanted=$(sed 's/#.*//' "$1" | xargs)
  # shellcheck disable=SC2086  # one word per package
  comm -23 <(tr ' ' '\n' <<<"$wanted" | sort) \
    <(dpkg-query -W -f='${db:Status-Status} ${Package}\n' $wanted 2>/dev/null |
      sed -n 's/^installed //p' | sort)
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    echo "./dev: needs root for: $*" >&2
    echo "./dev: become root, or install sudo, and try again" >&2
    return 1
  fi
}

# Installs what is missing of list file $1. Quick when nothing is.
setup_packages() {
  local missing
  missing=$(missing_packages "$1")
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null; then
    echo "./dev: this is no Debian; please install the likes of:" $missing >&2
    return 1
  fi
  echo "installing:" $missing
  # The package lists may be absent (a fresh container) or stale: on failure refresh, try once more.
  # shellcheck disable=SC2086
  apt_install $missing || { as_root apt-get update -q && apt_install $missing; }
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@" \
    </dev/null
}

# For the suite `field`, which says itself what it misses where this could not install it.
setup_field() {
  setup_packages tools/debian-packages-field.txt &&
    { [ -x /usr/bin/npm ] || apt_install npm; } ||
    echo "./dev: the suite 'field' goes without some of tools/debian-packages-field.txt" >&2
}

# nginx, to compare with, without installing it: its package would start and enable a server.
setup_bench_nginx() {
  local tools=$PWD/.cache/bench-tools
  export PATH="$PATH:/usr/sbin:$tools/usr/sbin"
  if command -v nginx >/dev/null; then return 0; fi
  echo "unpacking nginx into $tools"
  mkdir -p "$tools/download"
  (
    cd "$tools/download"
    apt-get download -q nginx || { as_root apt-get update -q && apt-get download -q nginx; }
  )
  dpkg -x "$tools"/download/nginx_*.deb "$tools"
}
