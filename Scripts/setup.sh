#!/usr/bin/env bash
# Installs what Martlet is built with, and says where LLVM is: writes the pkg-config file `martlet-llvm`, which
# SwiftPM finds by itself. Run by `make setup`; does nothing, quickly, where everything is there.
#
#   LLVM_HOME=/path   another installation of LLVM, 19 or later (with include/llvm-c and lib/libLLVM); it stays chosen
#                     until LLVM_HOME names the next one
#   MARTLET_APT=no    never install packages
set -euo pipefail

llvm_version=22
debian_llvm=/usr/lib/llvm-$llvm_version
system_pc=/usr/local/lib/pkgconfig/martlet-llvm.pc
user_pc=$HOME/.local/lib/pkgconfig/martlet-llvm.pc  # found by Package.swift, before the other

fail() { printf 'setup: %s\n' "$1" >&2; shift; printf '  %s\n' "$@" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, or fails where that is not possible.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif have sudo; then sudo "$@"
  else return 1; fi
}

# The pkg-config file that SwiftPM reads, if there is one.
present_pc() {
  local pc
  for pc in "$user_pc" "$system_pc"; do
    if [ -f "$pc" ]; then echo "$pc"; return; fi
  done
}

# Where the LLVM to build with lies: as LLVM_HOME says, or as it said before, or Debian's.
llvm_home() {
  local pc before=
  if [ -n "${LLVM_HOME:-}" ]; then echo "${LLVM_HOME%/}"; return; fi
  pc=$(present_pc)
  [ -z "$pc" ] || before=$(sed -n 's/^prefix=//p' "$pc")
  if [ -n "$before" ] && [ -x "$before/bin/llvm-config" ]; then echo "$before"; else echo "$debian_llvm"; fi
}

# Whether as_root will work without asking for a password.
may_be_root() { [ "$(id -u)" = 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

missing_packages() {
  if [ "$home" = "$debian_llvm" ]; then
    [ -e "$home/include/llvm-c/LLJIT.h" ] || echo "llvm-$llvm_version-dev"
    [ -x "$home/bin/FileCheck" ] || echo "llvm-$llvm_version-tools"
    [ -x "$home/bin/llvm-mca" ] || echo "llvm-$llvm_version"
  fi
  have pkg-config || echo pkg-config
  have python3 || echo python3
  if have pkg-config; then
    pkg-config --exists zlib || echo zlib1g-dev
    pkg-config --exists libpng || echo libpng-dev
  else
    echo zlib1g-dev libpng-dev
  fi
}

install_packages() {
  local packages
  packages=$(missing_packages | sort -u | tr '\n' ' ')
  [ -n "${packages// /}" ] || return 0
  have apt-get && [ "${MARTLET_APT:-yes}" != no ] \
    || fail "missing: $packages" "Install these (the names are Debian's) and run make setup again." \
      "LLVM_HOME=/path chooses an LLVM that is installed elsewhere."
  [ "$(id -u)" = 0 ] || have sudo \
    || fail "missing: $packages" "Ask an administrator for: apt-get install $packages"
  echo "setup: installing $packages"
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages \
    >/dev/null 2>&1 \
    || { as_root apt-get update -q >/dev/null \
      && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends $packages >/dev/null; } \
    || fail "apt-get could not install: $packages" "Its own message stands above." \
      "llvm-$llvm_version comes with Debian 12 (security) and later; otherwise set LLVM_HOME."
}

# Prints what the linker calls LLVM's shared library in a folder: `LLVM-22` for libLLVM-22.so.
library_name() {
  local name
  for name in "LLVM-$2" "LLVM-$2.1" LLVM; do
    [ -e "$1/lib$name.so" ] && { echo "$name"; return; }
  done
  return 1
}

write_pc() {
  local config version major include library name text pc
  config=$home/bin/llvm-config
  [ -x "$config" ] \
    || fail "no LLVM in $home" "It should hold bin/llvm-config, include/llvm-c and lib/libLLVM.so."
  version=$("$config" --version)
  major=${version%%.*}
  [ "$major" -ge 19 ] || fail "LLVM $version in $home is too old" "Martlet needs 19 or later."
  include=$("$config" --includedir)
  library=$("$config" --libdir)
  name=$(library_name "$library" "$major") \
    || fail "no shared libLLVM in $library" "Build LLVM with LLVM_BUILD_LLVM_DYLIB=ON."
  text="prefix=$home
Name: martlet-llvm
Description: The LLVM that Martlet is built with
Version: $version
Cflags: -I$include
Libs: -L$library -l$name"

  pc=$(present_pc)
  if [ -n "$pc" ] && [ "$(cat "$pc")" = "$text" ]; then loadable "$library" "$name"; return; fi
  if may_be_root; then
    pc=$system_pc
    as_root mkdir -p "$(dirname "$pc")"
    printf '%s\n' "$text" | as_root tee "$pc" >/dev/null
    rm -f "$user_pc"
  else
    pc=$user_pc
    mkdir -p "$(dirname "$pc")"
    printf '%s\n' "$text" >"$pc"
  fi
  # What was built with another LLVM is built anew: SwiftPM does not look for changes in system headers.
  rm -rf "$(dirname "$0")"/../.build/*/*/{ModuleCache,LLVMBackend.build,LLVMBackendTests.build}
  echo "setup: LLVM $version in $home ($pc)"
  loadable "$library" "$name"
}

# Makes sure that the loader finds the shared library when the program starts.
loadable() {
  local file
  file=$(basename "$(readlink -f "$1/lib$2.so")")
  case ":${LD_LIBRARY_PATH:-}:" in *":$1:"*) return ;; esac
  ldconfig=$(command -v ldconfig || echo /sbin/ldconfig)
  "$ldconfig" -p 2>/dev/null | grep -qF "$file" && return
  if may_be_root; then
    echo "$1" | as_root tee /etc/ld.so.conf.d/martlet-llvm.conf >/dev/null
    as_root "$ldconfig"
  else
    echo "setup: set LD_LIBRARY_PATH=$1 to run what is built with this LLVM"
  fi
}

have swift || fail "no Swift compiler found" "Martlet needs Swift 6.3 or later: https://swift.org/install"
home=$(llvm_home)
install_packages
write_pc
