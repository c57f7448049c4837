#!/usr/bin/env bash
# Runs Benchmarks/training.py with a Python that has PyTorch: PEERS_PYTHON, or an environment of its own in .venv-bench.
# pip reads PIP_FIND_LINKS and PIP_INDEX_URL, for a folder of wheels or for PyTorch's own index of CPU builds.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PEERS_PYTHON:-.venv-bench/bin/python}
if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
  [ -z "${PEERS_PYTHON:-}" ] || { echo "bench: $PEERS_PYTHON has no torch and numpy" >&2; exit 1; }
  echo "bench: installing PyTorch in .venv-bench"
  python3 -m venv .venv-bench || { echo "bench: python3 -m venv failed (Debian: apt-get install python3-venv)" >&2; exit 1; }
  .venv-bench/bin/pip install --quiet --disable-pip-version-check torch numpy
fi
exec "$python" Benchmarks/training.py "$@"
