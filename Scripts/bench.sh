#!/usr/bin/env bash
# Runs Benchmarks/ with a Python that has the peers: PEERS_PYTHON, or an environment of its own in .venv-bench. The
# arguments go to it; PEERS, a list with commas or none, chooses the peers.
set -euo pipefail
cd "$(dirname "$0")/.."

# Installs the peers: PyTorch without CUDA, where there is such a build.
install_peers() {
  echo "bench: installing ONNX Runtime, JAX and PyTorch in .venv-bench" >&2
  python3 -m venv .venv-bench || { echo "bench: python3 -m venv failed (Debian: apt-get install python3-venv)" >&2; exit 1; }
  local pip=".venv-bench/bin/python -m pip install --quiet --disable-pip-version-check"
  $pip numpy onnxruntime jax
  # An index or a folder of wheels that the user has chosen comes first.
  if [ -n "${PIP_INDEX_URL:-}${PIP_FIND_LINKS:-}" ]; then
    $pip torch
  else
    $pip torch --index-url https://download.pytorch.org/whl/cpu || $pip torch
  fi
}

python=${PEERS_PYTHON:-.venv-bench/bin/python}
if [ "${PEERS:-}" = none ]; then
  python=python3
elif [ -z "${PEERS_PYTHON:-}" ] && ! "$python" -c 'import torch, jax, onnxruntime, numpy' 2>/dev/null; then
  install_peers
fi
exec "$python" Benchmarks ${PEERS:+--peers "$PEERS"} "$@"
