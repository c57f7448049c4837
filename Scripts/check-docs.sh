#!/usr/bin/env bash
# Runs the commands that README.md and CONTRIBUTING.md show, against the built program: each line of a fenced `sh` block
# that begins with `martlet` must succeed (those of one file share a temporary folder), and each `make TARGET` must be in
# the Makefile. In an HTML comment on the line before a block:
#
#   <!-- fails -->         its commands must fail, and not crash
#   <!-- skip: REASON -->  its commands are not run
#   <!-- folder: NAME -->  all its lines must succeed, in that folder
#   <!-- file: PATH -->    its text is that file, of any language
set -uo pipefail
cd "$(dirname "$0")/.."
root=$PWD
martlet=${MARTLET:-$root/.build/release/martlet}
[ -x "$martlet" ] || { echo "check-docs.sh: no $martlet; make build makes it" >&2; exit 1; }
work=$(mktemp -d)
# Not the user's.
export MARTLET_CACHE=$work/cache
trap 'rm -rf "$work"' EXIT
failed=0
count=0

complain() { printf '%s: %s\n' "$1" "$2"; failed=1; }

# Prints `mode<tab>command` for each line of the sh blocks, and writes blocks that name a file to it, in $work. The mode is
# succeeds, fails, skip or a folder.
commands() {
  awk -v folder="$work/$1" '
    /^<!-- fails -->$/ {mode = "fails"; next}
    /^<!-- skip: .+ -->$/ {mode = "skip"; next}
    /^<!-- folder: [a-z]+ -->$/ {mode = $3; next}
    /^<!-- file: [A-Za-z0-9.\/]+ -->$/ {file = $3; next}
    /^```sh$/ {inside = 1; next}
    /^```/ && !inside && file != "" {
      target = folder "/" file; file = ""
      system("mkdir -p $(dirname " target ")")
      next
    }
    /^```/ {
      if (inside || target != "") mode = ""
      if (target != "") close(target)
      inside = 0; target = ""
      next
    }
    inside && NF {print (mode == "" ? "succeeds" : mode) "\t" $0}
    target != "" {print > target}
  ' "$1"
}

for page in README.md CONTRIBUTING.md; do
  mkdir -p "$work/$page"
  ln -s "$root/Samples" "$root/IR" "$work/$page"
  # Under the name that the text gives the clone.
  ln -s "$root" "$work/$page/martlet"
  while IFS=$'\t' read -r mode command; do
    command=${command%%  #*}
    case $mode in
    succeeds | fails | skip) ;;
    *)
      count=$((count + 1))
      if ! (cd "$work/$page/$mode" && eval "timeout 900 $command") >"$work/output" 2>&1 </dev/null; then
        complain "$page" "$command: it fails in $mode/"
        tail -n 5 "$work/output" | sed 's/^/  /'
      fi
      continue
      ;;
    esac
    case $command in
    martlet\ * | .build/release/martlet\ *)
      [ "$mode" = skip ] && continue
      count=$((count + 1))
      # The words after the name, as a shell reads them.
      arguments=${command#*martlet }
      (cd "$work/$page" && eval "timeout 60 \"\$martlet\" $arguments") >"$work/output" 2>&1 </dev/null
      status=$?
      expected=0
      [ "$mode" = fails ] && expected=1
      if [ "$status" != "$expected" ]; then
        complain "$page" "$command: exit status $status instead of $expected"
        tail -n 5 "$work/output" | sed 's/^/  /'
      fi
      ;;
    make\ *)
      # Values may have several words.
      for word in $(sed 's/="[^"]*"/=/g' <<<"${command#make }"); do
        case $word in
        *=*) ;;
        *) grep -q "^$word:" Makefile || complain "$page" "the Makefile has no target $word" ;;
        esac
      done
      ;;
    esac
  done < <(commands "$page")
done
[ "$count" -gt 0 ] || complain README.md "no commands found"
[ "$failed" = 0 ] && echo "docs: $count commands do what they should"
exit "$failed"
