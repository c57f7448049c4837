#!/usr/bin/env bash
# The rules of style that a script can hold: format and documentation (swift format), exhaustive switches over
# the operations, and files that grow too long (a warning).
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

swift format lint --strict --recursive Package.swift Sources Samples Tests || failed=1

# Where operations and their functions are told apart, each is named: a `default:` would swallow the next one.
# A switch over something else (text, numbers) says so on its line: `default:  // text`.
families='Elementwise|Shaping|Reduction|Contraction|Pooling|Indexing|Control|Random|Operation|Composite'
hits=$(find Sources Tests -name '*.swift' | grep -E "($families)[A-Za-z+]*\.swift$|/Operations/|/TestSupport/" \
  | xargs -r grep -nE '^\s*(@unknown )?default:\s*(//|[^/]|$)' | grep -vE 'default:\s*// (text|number)' || true)
if [ -n "$hits" ]; then
  printf '%s\n' "$hits"
  echo "check-style: name each case; no \`default:\` over operations (see CONTRIBUTING.md)"
  failed=1
fi

find Sources Samples Tests -name '*.swift' -exec wc -l {} + \
  | awk '$2 != "total" && $1 > 400 {print "check-style: warning: " $2 " has " $1 " lines (400 is plenty)"}'
exit $failed
