#!/usr/bin/env bash
# The rules of style that a script can hold: format and documentation (swift format), no `default:` over the operations,
# and files that grow too long (a warning).
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

# What a protocol asks for is documented there.
witnesses='(kind|dtype|(inferTypes|visit)\([^)]*\))'
complaints=$(swift format lint --strict --recursive Package.swift Sources Samples Tests 2>&1 \
  | grep -vE "AllPublicDeclarationsHaveDocumentation.*'$witnesses ?'" || true)
if [ -n "$complaints" ]; then
  printf '%s\n' "$complaints"
  failed=1
fi

python3 Scripts/check_switches.py || failed=1

find Sources Samples Tests -name '*.swift' -exec wc -l {} + \
  | awk '$2 != "total" && $1 > 400 {print "warning: " $2 " has " $1 " lines; 400 are plenty"}'
[ "$failed" = 0 ] && echo "style: nothing to complain about"
exit "$failed"
