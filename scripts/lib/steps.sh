# Sourced by scripts/test: runs a list of steps, each with a heading and its time, and keeps count.
# A step's output goes to a file below $STEP_LOGS; the end of it is shown when the step fails.
# Tests that a step ran are counted one by one from the JUnit files it left in $STEP_RESULTS, any other step counts as one.

STEPS_STARTED=$SECONDS
STEPS_PASSED=0
STEPS_FAILED=0
FAILED_STEPS=()

elapsed() { printf '%d:%02d' $(((SECONDS - STEPS_STARTED) / 60)) $(((SECONDS - STEPS_STARTED) % 60)); }

# step TITLE COMMAND...
step() {
  local title=$1 began=$SECONDS status=0 passed failed skipped log ticker=
  shift
  log=$STEP_LOGS/$(tr -cs 'a-zA-Z0-9' '-' <<<"$title" | sed 's/-$//').log
  export STEP_RESULTS=$STEP_LOGS/results
  rm -rf "$STEP_RESULTS"
  mkdir -p "$STEP_RESULTS"
  printf '[%s] %s ... ' "$(elapsed)" "$title"
  [ ! -t 1 ] || { ticker "$title" "$log" & ticker=$!; }
  "$@" >"$log" 2>&1 </dev/null || status=$?
  [ -z "$ticker" ] || { kill "$ticker"; wait "$ticker" 2>/dev/null || true; printf '\r\033[K[%s] %s ... ' "$(elapsed)" "$title"; }
  read -r passed failed skipped < <(count_junit "$STEP_RESULTS")
  [ $((passed + failed + skipped)) -gt 0 ] || { [ $status = 0 ] && passed=1 || failed=1; }
  # A command that failed though no single test did: a crash, a sanitizer's report.
  [ $status = 0 ] || [ "$failed" -gt 0 ] || failed=1
  [ "$failed" = 0 ] || status=1
  STEPS_PASSED=$((STEPS_PASSED + passed))
  STEPS_FAILED=$((STEPS_FAILED + failed))
  if [ $status = 0 ]; then
    [ "$skipped" = 0 ] && skipped= || skipped=", $skipped skipped"
    printf 'ok, %s passed%s (%d s)\n' "$passed" "$skipped" $((SECONDS - began))
  else
    printf 'FAILED, %s passed, %s failed (%d s)\n' "$passed" "$failed" $((SECONDS - began))
    FAILED_STEPS+=("$title: $log")
    { what_failed "$log" | head -n 80; tail -n 40 "$log"; } | sed 's/^/    | /'
  fi
  return 0
}

# What failed where, of all that a log tells: its end is the last failure's only.
what_failed() {
  grep -nE -A 8 ': Failure$|: (fatal )?error: |: runtime error: |ERROR: [A-Za-z]+Sanitizer|WARNING: ThreadSanitizer' "$1" || true
}

# On a terminal: the last line of the step's output, once a second.
ticker() {
  while sleep 1; do
    printf '\r\033[K[%s] %s ... %s' "$(elapsed)" "$1" "$(tail -n 1 "$2" | tr -d '\r\033' | cut -c -60)"
  done
}

# count_junit DIR: "passed failed skipped" of every JUnit file in it.
count_junit() {
  find "$1" -name '*.xml' -exec cat {} + 2>/dev/null | tr '>' '\n' | awk '
    /<testcase /   { tests++ }
    /<(failure|error)[ \/]/ || /<(failure|error)$/ { if (!bad) failed++; bad = 1 }
    /<testcase /   { bad = 0 }
    /<skipped/     { skipped++ }
    END { printf "%d %d %d\n", tests - failed - skipped, failed, skipped }'
}

# Prints the list of what failed and the closing line; its status is the script's.
steps_end() {
  printf '[%s] done\n' "$(elapsed)"
  local failure
  for failure in ${FAILED_STEPS[@]+"${FAILED_STEPS[@]}"}; do
    printf 'failed: %s\n' "$failure"
  done
  printf '%d passed, %d failed\n' "$STEPS_PASSED" "$STEPS_FAILED"
  [ "$STEPS_FAILED" = 0 ]
}
