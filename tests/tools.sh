# shellcheck shell=bash
# What the scripts here share; sourced, not run. Each function gives success if what it names is there afterwards.

# skip REASON: ends a script that cannot do its work on this machine.
skip() {
  echo "$(basename "$0" .sh): SKIPPED: $1"
  exit 0
}

# debian PACKAGE ...: Debian's packages, installed if they are missing.
debian() {
  local package missing=()
  for package in "$@"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return
  echo "installing ${missing[*]}"
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1
}

# python FOLDER MODULES PACKAGE ...: a Python in FOLDER/venv that imports MODULES (`a, b`), which PACKAGEs bring.
python() {
  local folder=$1 modules=$2
  shift 2
  "$folder/venv/bin/python" -c "import $modules" 2>/dev/null && return
  python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install -q "$@"
}

# plimsoll: PLIMSOLL is the path of the program, in release, built if it was not given.
plimsoll() {
  if [ -z "${PLIMSOLL:-}" ]; then
    cargo build --release -q -p plimsoll || return
    local target
    target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
    PLIMSOLL=$target/release/plimsoll
  fi
  PLIMSOLL=$(realpath "$PLIMSOLL")
}
