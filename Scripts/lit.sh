#!/usr/bin/env bash
# Runs the programs of IR/ with lit and FileCheck against the built martlet, for this processor and, where it has AVX-512,
# for one without. Arguments go to lit.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=${LLVM_HOME:-$(pkg-config --variable=prefix martlet-llvm)}
lit=$tools/bin/lit
[ -x "$lit" ] || lit=$(command -v lit) || { echo "lit.sh: no lit in $tools/bin (llvm-22-tools has it)" >&2; exit 1; }
run() { LLVM_TOOLS=$tools/bin "$lit" --order=lexical --succinct --verbose --no-progress-bar "${@:-IR}"; }
run "$@"
if grep -qs avx512 /proc/cpuinfo; then MARTLET_WITHOUT=avx512 run "$@"; fi
