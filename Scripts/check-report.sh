#!/usr/bin/env bash
# Makes the page of a tiny training run with `martlet train --report`, checks that it needs nothing from elsewhere, and
# renders it in a headless browser, as wide as a desk's screen and as a phone's: every chart and picture has a size, nothing
# sticks out, nothing is reported as an error. `BROWSER=/path` names the browser; without one only the text is checked.
#
#   Scripts/check-report.sh [FOLDER]   FOLDER: keep the page and a picture of it there
set -uo pipefail
cd "$(dirname "$0")/.."
martlet=${MARTLET:-$PWD/.build/release/martlet}
[ -x "$martlet" ] || { echo "check-report.sh: no $martlet; make build makes it" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
folder=${1:-$work/report}

fail() { echo "check-report.sh: $1" >&2; exit 1; }

MARTLET_CACHE=$work/cache timeout 120 "$martlet" train softmax-regression --epochs 3 --report "$folder" \
  >"$work/output" 2>&1 || { cat "$work/output"; fail "training with --report fails"; }
page=$folder/index.html
[ -s "$page" ] || fail "there is no $page"
grep -q '<script\|http' "$page" && fail "the page has a script or asks for something from elsewhere"
"$martlet" plot "$folder" --metric accuracy >/dev/null || fail "martlet plot fails"

find_browser() {
  local name
  for name in "${BROWSER:-}" chromium chromium-browser chromium-headless-shell google-chrome; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then command -v "$name"; return; fi
  done
  return 1
}
if ! browser=$(find_browser); then
  echo "report: the text is right; SKIPPED: no headless browser (apt-get install chromium) to render it"
  exit 0
fi

# Frames as wide as the screens: a browser's window has a least width that is more than a phone's.
cat >"$work/look.html" <<END
<!DOCTYPE html><body><pre id="result"></pre>
<iframe width="1280" height="900" src="file://$page"></iframe>
<iframe width="390" height="844" src="file://$page"></iframe>
<script>
const lines = [];
function look(frame) {
  const view = frame.contentDocument, width = frame.clientWidth;
  const charts = [...view.querySelectorAll('svg')], pictures = [...view.querySelectorAll('img')];
  lines.push('seen at ' + width + ': ' + charts.length + ' charts, ' + pictures.length + ' pictures');
  for (const chart of charts) {
    const name = chart.querySelector('title').textContent, box = chart.getBoundingClientRect();
    if (box.width < 150 || box.height < 80) lines.push('WRONG at ' + width + ': ' + name + ' is too small');
    const drawn = chart.getBBox(), room = chart.viewBox.baseVal;
    if (drawn.x < -1 || drawn.y < -1 || drawn.x + drawn.width > room.width + 1
        || drawn.y + drawn.height > room.height + 1)
      lines.push('WRONG at ' + width + ': ' + name + ' sticks out of its drawing');
  }
  for (const picture of pictures)
    if (!picture.complete || picture.naturalWidth === 0 || picture.clientWidth === 0)
      lines.push('WRONG at ' + width + ': the picture "' + picture.alt + '" is not shown');
  for (const part of view.querySelectorAll('main *'))
    if (!part.closest('.scroll, svg') && part.getBoundingClientRect().right > width + 0.5)
      lines.push('WRONG at ' + width + ': ' + part.tagName + ' ' + part.className + ' is too wide');
}
onload = () => {
  try { document.querySelectorAll('iframe').forEach(look); } catch (error) { lines.push('WRONG: ' + error); }
  lines.push('looked');
  document.getElementById('result').textContent = lines.join('\n');
};
</script></body>
END
render() {
  timeout 120 "$browser" --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --user-data-dir="$work/profile" \
    --allow-file-access-from-files --enable-logging=stderr "$@" 2>"$work/log"
}
render --window-size=1400,1000 --virtual-time-budget=10000 --dump-dom "file://$work/look.html" \
  | sed -n '/<pre id="result">/,/<\/pre>/p' >"$work/seen"
grep -q '^looked' "$work/seen" || { tail -n 5 "$work/log"; fail "$browser did not render the page"; }
grep -q CONSOLE "$work/log" && { grep CONSOLE "$work/log"; fail "the browser reports errors"; }
grep 'WRONG' "$work/seen" && fail "the page does not look as it should"
# Loss, accuracy, learning rate, gradients, the matrix, two of outputs and weights at least.
charts=$(sed -n 's/.*seen at 1280: \([0-9]*\) charts.*/\1/p' "$work/seen")
pictures=$(sed -n 's/.*seen at 390: [0-9]* charts, \([0-9]*\) pictures.*/\1/p' "$work/seen")
[ "${charts:-0}" -ge 8 ] || fail "the page has ${charts:-no} charts"
[ "${pictures:-0}" -ge 11 ] || fail "the page has ${pictures:-no} pictures"
[ $# = 0 ] || render --window-size=1280,4000 --hide-scrollbars --screenshot="$folder/report.png" "file://$page" >/dev/null
echo "report: $charts charts and $pictures pictures are where they should be at 1280 and 390 pixels"
