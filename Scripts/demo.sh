#!/usr/bin/env bash
# Trains LeNet on handwritten digits, shows it a digit that it has not seen, and compares the compiled code with the
# reference interpreter. `make demo` builds the program first.
set -euo pipefail
cd "$(dirname "$0")/.."
martlet=.build/release/martlet
mkdir -p .build/demo
weights=.build/demo/lenet.safetensors

run() { printf '\n$ martlet %s\n' "$*"; "$martlet" "$@"; }

run train lenet --save "$weights"
run predict lenet Samples/Data/mnist5k/digit.png --weights "$weights"
run compare lenet --train

cat <<'END'

Where to look next:
  Samples/LeNet.swift                                the model
  .build/release/martlet dump lenet --train          its graph; --stage kernels, loops, llvm, asm: what becomes of it
  .build/release/martlet bench lenet --train --profile   where the time goes
  .build/release/martlet list                        the other samples
END
