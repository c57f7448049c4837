#!/usr/bin/env bash
# Runs Benchmarks/training.py with a Python that has PyTorch: PEERS_PYTHON, or an environment of its own in .venv-bench.
# PyPI's PyTorch brings CUDA along (5 GB); pip reads PIP_INDEX_URL and PIP_FIND_LINKS, for an index or a folder of CPU
# builds.
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
