#include "cli/output.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "report/escape.h"

namespace mailproof::cli {
namespace {

std::atomic<bool> gone = false;

void write(std::FILE* to, const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), to) != text.size() && to == stdout && errno == EPIPE) gone = true;
}

bool for_a_person(int descriptor) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && !(terminal != nullptr && std::string_view(terminal) == "dumb");
}

}  // namespace

void say(std::string_view text) { write(stdout, report::terminal(text)); }
void say_json(std::string_view json) { write(stdout, report::harmless_json(json)); }
bool nobody_reads() {
  if (std::fflush(stdout) != 0 && errno == EPIPE) gone = true;
  return gone;
}

bool coloured() {
  const char* plain = std::getenv("NO_COLOR");
  return for_a_person(STDOUT_FILENO) && (plain == nullptr || *plain == '\0');
}

bool line_is_rewritten() { return for_a_person(STDERR_FILENO); }

void say_error(std::string_view text) { write(stderr, report::terminal(text)); }

}  // namespace mailproof::cli
