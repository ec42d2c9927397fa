#include "wire/pop3/status.h"

#include <array>
#include <utility>

#include "core/bytes.h"

namespace mailproof::pop3 {
namespace {

constexpr std::array<std::pair<std::string_view, ResponseCode>, 5> kCodes{{{"IN-USE", ResponseCode::in_use},
                                                                           {"LOGIN-DELAY", ResponseCode::login_delay},
                                                                           {"SYS/TEMP", ResponseCode::sys_temp},
                                                                           {"SYS/PERM", ResponseCode::sys_perm},
                                                                           {"AUTH", ResponseCode::auth}}};

/// resp-code = "[" resp-level *("/" resp-level) "]"; resp-level = 1*rchar, rchar without "/" and "]"
std::string_view resp_code(std::string_view text) {
  if (!text.starts_with('[')) return {};
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos || end == 1) return {};
  const std::string_view code = text.substr(1, end - 1);
  for (const char c : code)
    if (c <= ' ' || c >= 0x7f) return {};
  return code;
}

}  // namespace

std::string_view name(ResponseCode code) {
  for (const auto& [text, known] : kCodes)
    if (known == code) return text;
  return {};
}

std::optional<StatusLine> parse_status_line(std::string_view line, text::Deviations& deviations, std::uint64_t offset) {
  StatusLine status;
  if (line.starts_with("+ ") || line == "+") {
    status.kind = StatusLine::Kind::challenge;
    status.text = line.substr(line.size() == 1 ? 1 : 2);
    return status;
  }
  std::string_view rest;
  if (istarts_with(line, "+OK")) {
    status.kind = StatusLine::Kind::ok;
    rest = line.substr(3);
    if (!line.starts_with("+OK")) deviations.note("pop3.status.case", offset, line);
  } else if (istarts_with(line, "-ERR")) {
    status.kind = StatusLine::Kind::err;
    rest = line.substr(4);
    if (!line.starts_with("-ERR")) deviations.note("pop3.status.case", offset, line);
  } else {
    return std::nullopt;
  }
  if (rest.starts_with(' ')) {
    rest.remove_prefix(1);
  } else if (!rest.empty()) {
    deviations.note("pop3.status.no-space", offset, line);
  }
  status.code_text = resp_code(rest);
  if (!status.code_text.empty()) {
    status.code = ResponseCode::other;
    for (const auto& [text, known] : kCodes)
      if (iequals(text, status.code_text)) status.code = known;
    rest.remove_prefix(status.code_text.size() + 2);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  status.text = rest;
  return status;
}

std::optional<std::string_view> apop_timestamp(std::string_view text) {
  const std::size_t from = text.rfind('<');
  if (from == std::string_view::npos) return std::nullopt;
  const std::size_t to = text.find('>', from);
  if (to == std::string_view::npos || to < from + 2) return std::nullopt;
  return text.substr(from, to - from + 1);
}

}  // namespace mailproof::pop3
