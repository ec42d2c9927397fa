# Sourced by the scripts that build: built PRESET TARGET... says how far it is, a line every tenth.
built() {
  local preset=$1
  shift
  # ninja's own lines when it fails, one line every ten percent when it does not.
  NINJA_STATUS='[%p %f of %t] ' ninja -C "build/$preset" "$@" </dev/null | awk '
    match($0, /^\[ *[0-9]+% [0-9]+ of [0-9]+\] /) {
      split(substr($0, 2, RLENGTH - 3), part, "% ")
      tenth = int(part[1] / 10)
      if (tenth != last) { printf "  %s%% (%s)\n", part[1] + 0, part[2]; fflush(); last = tenth }
      if ($0 !~ /FAILED/) next
    }
    /^-- / { next }
    /^ninja: (no work to do|Entering)/ { if (/no work/) print "  up to date"; next }
    { print; fflush() }'
}
