#include "cli/output.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "report/escape.h"

namespace mailproof::cli {
namespace {

std::atomic<bool> gone = false;
std::atomic<int> refused = 0;  ///< errno of the first write to standard output that failed otherwise

void not_written() {
  if (errno == EPIPE)
    gone = true;
  else if (int none = 0; errno != 0)
    refused.compare_exchange_strong(none, errno);
}

void write(std::FILE* to, const std::string& text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), to) != text.size() && to == stdout) not_written();
}

bool for_a_person(int descriptor) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && !(terminal != nullptr && std::string_view(terminal) == "dumb");
}

}  // namespace

void say(std::string_view text) { write(stdout, report::terminal(text)); }
void say_json(std::string_view json) { write(stdout, report::harmless_json(json)); }
bool nobody_reads() {
  errno = 0;
  if (std::fflush(stdout) != 0) not_written();
  return gone;
}

std::string output_refused() {
  nobody_reads();
  return refused == 0 ? "" : std::strerror(refused);
}

bool coloured() {
  const char* plain = std::getenv("NO_COLOR");
  return for_a_person(STDOUT_FILENO) && (plain == nullptr || *plain == '\0');
}

bool line_is_rewritten() { return for_a_person(STDERR_FILENO); }

void say_error(std::string_view text) { write(stderr, report::terminal(text)); }

}  // namespace mailproof::cli
