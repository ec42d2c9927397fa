#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/bytes.h"
#include "core/pattern.h"
#include "play/talk/imap.h"

namespace mailproof::play {
namespace {

/// Octets of the literal that begins at `text`, and where they begin; nothing: there is none.
std::optional<std::string_view> literal_at(std::string_view text) {
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), size);
  const auto behind = static_cast<std::size_t>(end - text.data());
  constexpr std::string_view kEnd = "}\r\n";
  if (error != std::errc() || text.substr(behind, kEnd.size()) != kEnd) return std::nullopt;
  return text.substr(behind + kEnd.size(), size);
}

bool fits_quotes(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::size_t end_of_quoted(std::string_view line, std::size_t at) {
  for (++at; at < line.size() && line[at] != '"'; ++at)
    if (line[at] == '\\') ++at;
  return std::min(at + 1, line.size());
}

}  // namespace

std::string in_quotes(std::string_view line) {
  std::string out;
  for (std::size_t at = 0; at < line.size();) {
    if (line[at] == '"') {
      const std::size_t end = end_of_quoted(line, at);
      out += line.substr(at, end - at);
      at = end;
      continue;
    }
    const auto literal = line[at] == '{' ? literal_at(line.substr(at)) : std::nullopt;
    if (!literal) {
      out += line[at++];
      continue;
    }
    const auto end = static_cast<std::size_t>(literal->data() - line.data()) + literal->size();
    if (fits_quotes(*literal) && (at == 0 || line[at - 1] != '~')) {
      out += '"';
      for (const char c : *literal) out += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
      out += '"';
    } else {
      out += line.substr(at, end - at);
    }
    at = end;
  }
  return out;
}

bool search_imap(std::string_view line, std::string_view regex) {
  return Pattern::checked(regex, Pattern::Letters::any_case).search(in_quotes(line));
}

void order_resources(ImapValue& list) {
  constexpr std::size_t kWidth = 3;  // name, usage, limit
  if (list.kind != ImapValue::Kind::list || list.items.size() % kWidth != 0) return;
  std::vector<std::vector<ImapValue>> resources;
  for (std::size_t i = 0; i < list.items.size(); i += kWidth) {
    const auto first = list.items.begin() + static_cast<std::ptrdiff_t>(i);
    resources.emplace_back(first, first + kWidth);
    resources.back().front().text = upper(first->text);
  }
  std::sort(resources.begin(), resources.end(),
            [](const auto& a, const auto& b) { return a.front().text < b.front().text; });
  list.items.clear();
  list.text.clear();
  for (auto& resource : resources)
    for (ImapValue& value : resource) {
      list.text += fmt::format("{}{}", list.text.empty() ? "(" : " ", value.text);
      list.items.push_back(std::move(value));
    }
  list.text += list.text.empty() ? "()" : ")";
}

}  // namespace mailproof::play
