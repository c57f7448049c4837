#!/usr/bin/env bash
# Makes the pictures that README.md shows, in Documentation/Pictures: trains LeNet, which takes a minute, and keeps charts
# and pictures of its report. `make docs` builds the program first. With a headless browser (see check-report.sh) it also
# takes a picture of the page.
set -euo pipefail
cd "$(dirname "$0")/.."
martlet=${MARTLET:-$PWD/.build/release/martlet}
target=Documentation/Pictures
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$target"

"$martlet" train pictures --report "$work/report"
for metric in loss accuracy; do
  "$martlet" plot "$work/report" --metric "$metric" --svg "$target/$metric.svg"
done
for name in filters maps-conv1 occlusion saliency best; do cp "$work/report/$name.png" "$target/"; done

for browser in "${BROWSER:-}" chromium chromium-browser chromium-headless-shell google-chrome; do
  if [ -z "$browser" ] || ! command -v "$browser" >/dev/null 2>&1; then continue; fi
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --hide-scrollbars \
    --user-data-dir="$work/profile" --window-size=1160,1000 --screenshot="$PWD/$target/report.png" \
    "file://$work/report/index.html" >/dev/null 2>&1
  break
done
du -ch "$target"/* | tail -n 1
