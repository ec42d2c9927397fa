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
  local title=$1 began=$SECONDS status=0 passed failed log
  shift
  log=$STEP_LOGS/$(tr -cs 'a-zA-Z0-9' '-' <<<"$title" | sed 's/-$//').log
  export STEP_RESULTS=$STEP_LOGS/results
  rm -rf "$STEP_RESULTS"
  mkdir -p "$STEP_RESULTS"
  printf '[%s] %s ... ' "$(elapsed)" "$title"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  read -r passed failed < <(count_junit "$STEP_RESULTS")
  [ $((passed + failed)) -gt 0 ] || { [ $status = 0 ] && passed=1 || failed=1; }
  # A command that failed though no single test did: a crash, a sanitizer's report.
  [ $status = 0 ] || [ "$failed" -gt 0 ] || failed=1
  [ "$failed" = 0 ] || status=1
  STEPS_PASSED=$((STEPS_PASSED + passed))
  STEPS_FAILED=$((STEPS_FAILED + failed))
  if [ $status = 0 ]; then
    printf 'ok, %s (%d s)\n' "$passed passed" $((SECONDS - began))
  else
    printf 'FAILED, %s passed, %s failed (%d s)\n' "$passed" "$failed" $((SECONDS - began))
    FAILED_STEPS+=("$title: $log")
    tail -n 60 "$log" | sed 's/^/    | /'
  fi
  return 0
}

# count_junit DIR: "passed failed", from the testsuite elements' own attributes.
count_junit() {
  find "$1" -name '*.xml' -exec cat {} + 2>/dev/null | tr '>' '\n' | awk '
    /<testcase /   { tests++ }
    /<(failure|error)[ \/]/ || /<(failure|error)$/ { if (!bad) failed++; bad = 1 }
    /<testcase /   { bad = 0 }
    /<skipped/     { skipped++ }
    END { printf "%d %d\n", tests - failed - skipped, failed }'
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
