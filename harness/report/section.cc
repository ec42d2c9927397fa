#include "report/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>
#include <vector>

namespace mailproof::report {
namespace {

bool number(std::string_view word) {
  return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "8.1.2" -> 8, 1, 2; what is no number sorts behind all numbers.
std::vector<unsigned> numbers(std::string_view text) {
  std::vector<unsigned> out;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find('.'));
    unsigned value = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), value);
    out.push_back(read.ec == std::errc() && read.ptr == word.data() + word.size() ? value : ~0U);
    text.remove_prefix(std::min(text.size(), word.size() + 1));
  }
  return out;
}

}  // namespace

bool Section::operator<(const Section& other) const {
  const auto key = [](const Section& one) {
    return std::tuple(one.rfc.empty(), one.file.substr(0, one.file.find('.')), numbers(one.rfc), numbers(one.section),
                      one.file);
  };
  return key(*this) < key(other);
}

std::string Section::title() const {
  if (rfc.empty()) return "mixed";
  return fmt::format("RFC {} {}{}", rfc, section.starts_with("App") ? "" : "section ", section);
}

Section section_of(std::string_view id) {
  const auto dot = id.find('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  const std::string_view rest = id.substr(dot + 1);
  if (id.substr(0, dot) == "x") return {"x", "", ""};
  const auto dash = rest.find('-');
  if (dash == std::string_view::npos || !number(rest.substr(0, dash))) return {};
  // The section goes on as long as there are numbers between dots; behind it comes the check's own word.
  std::size_t end = std::min(rest.find('.', dash), rest.size());
  if (const std::string_view word = rest.substr(dash + 1, end - dash - 1); word.starts_with("app") && word.size() == 4)
    return {std::string(id.substr(0, dot + 1 + end)), std::string(rest.substr(0, dash)),
            fmt::format("Appendix {}", word.substr(3))};
  if (!number(rest.substr(dash + 1, end - dash - 1))) return {};
  while (end < rest.size()) {
    const std::size_t next = std::min(rest.find('.', end + 1), rest.size());
    if (!number(rest.substr(end + 1, next - end - 1))) break;
    end = next;
  }
  return {std::string(id.substr(0, dot + 1 + end)), std::string(rest.substr(0, dash)),
          std::string(rest.substr(dash + 1, end - dash - 1))};
}

}  // namespace mailproof::report
