#include "cli/output.h"

#include <cstdio>
#include <string>

#include "report/escape.h"

namespace mailproof::cli {
namespace {

void write(std::FILE* to, const std::string& text) { std::fwrite(text.data(), 1, text.size(), to); }

}  // namespace

void say(std::string_view text) { write(stdout, report::terminal(text)); }
void say_json(std::string_view json) { write(stdout, report::harmless_json(json)); }
void say_error(std::string_view text) { write(stderr, report::terminal(text)); }

}  // namespace mailproof::cli
