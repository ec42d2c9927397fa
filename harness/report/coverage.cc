#include "report/coverage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "report/section.h"

namespace mailproof::report {
namespace {

constexpr std::array<std::string_view, 4> kLevels{"MUST", "SHOULD", "PRACTICE", "MAY"};

std::vector<std::string> split(std::string_view text, char between) {
  std::vector<std::string> out;
  for (std::size_t from = 0;;) {
    const std::size_t end = std::min(text.find(between, from), text.size());
    out.emplace_back(text.substr(from, end - from));
    if (end == text.size()) return out;
    from = end + 1;
  }
}

/// The word that the id begins with, and those that the catalogue has for its row: "pop3+imap".
std::set<std::string> protocols_of(const std::string& id, const std::string& protocols) {
  std::set<std::string> out = {id.substr(0, id.find('.'))};
  for (const std::string& some : split(protocols, ','))
    for (std::string& word : split(some, '+'))
      if (!word.empty()) out.insert(std::move(word));
  return out;
}

bool is_about(const std::string& id, const std::string& protocols, const std::string& wanted) {
  return wanted.empty() || protocols_of(id, protocols).contains(wanted);
}

/// Its section, and for ids that are in none ("any.line-limit") their first words.
Section place_of(const std::string& id) {
  Section section = section_of(id);
  if (section.file.empty()) section.file = id.substr(0, id.rfind('.'));
  return section;
}

struct Row {
  std::map<std::string_view, std::size_t> levels;
  std::size_t checks = 0, missing = 0;
};

std::string line(const std::string& name, std::size_t width, const Row& row) {
  std::string out = fmt::format("{:<{}}  {:>6}", name, width, row.checks);
  for (const std::string_view level : kLevels) {
    const auto found = row.levels.find(level);
    out += fmt::format("  {:>{}}", found == row.levels.end() ? 0 : found->second, level.size());
  }
  return out + fmt::format("  {:>7}\n", row.missing);
}

}  // namespace

Result<std::vector<Requirement>> parse_catalogue(std::string_view text, const std::string& name) {
  std::vector<Requirement> out;
  std::map<std::string, std::size_t> columns;
  std::size_t number = 0;
  for (const std::string& one : split(text, '\n')) {
    ++number;
    const auto fields = split(one.ends_with('\r') ? one.substr(0, one.size() - 1) : one, '\t');
    if (columns.empty()) {
      for (std::size_t i = 0; i < fields.size(); ++i) columns[fields[i]] = i;
      for (const char* wanted : {"id", "rfc", "section", "level", "protocol", "title"})
        if (!columns.contains(wanted))
          return Error{fmt::format("{}:1", name), fmt::format("the first line must name a column '{}'", wanted)};
      continue;
    }
    if (one.empty()) continue;
    if (fields.size() < columns.size())
      return Error{fmt::format("{}:{}", name, number),
                   fmt::format("{} fields, where the first line names {}", fields.size(), columns.size())};
    out.push_back({fields[columns["id"]], fields[columns["rfc"]], fields[columns["section"]], fields[columns["level"]],
                   fields[columns["protocol"]], fields[columns["title"]]});
  }
  return out;
}

std::set<std::string> protocols_of(std::span<const Requirement> catalogue, std::span<const CheckLevel> checks) {
  std::set<std::string> out;
  for (const Requirement& row : catalogue) out.merge(protocols_of(row.id, row.protocol));
  for (const CheckLevel& check : checks) out.merge(protocols_of(check.id, ""));
  return out;
}

std::string coverage_text(std::span<const Requirement> catalogue, std::span<const CheckLevel> checks,
                          const std::string& protocol) {
  std::set<std::string> there;
  for (const CheckLevel& check : checks) there.insert(check.id);
  std::map<std::string, std::string> protocols;  // of the catalogue's rows, for checks that are among them
  for (const Requirement& row : catalogue) protocols[row.id] = row.protocol;

  std::map<Section, Row> rows;
  Row total;
  for (const CheckLevel& check : checks) {
    if (!is_about(check.id, protocols[check.id], protocol)) continue;
    const auto level = std::find(kLevels.begin(), kLevels.end(), check.level);
    for (Row* row : {&rows[place_of(check.id)], &total}) {
      ++row->checks;
      if (level != kLevels.end()) ++row->levels[*level];
    }
  }
  std::string must;
  std::size_t musts = 0;
  std::size_t width = std::string_view("section").size();
  for (const Requirement& row : catalogue) {
    if (!is_about(row.id, row.protocol, protocol) || there.contains(row.id)) continue;
    ++rows[place_of(row.id)].missing;
    ++total.missing;
    if (row.level != "MUST") continue;
    must += fmt::format("  {}  {}\n", row.id, row.title);
    ++musts;
  }
  for (const auto& [section, row] : rows) width = std::max(width, section.file.size());
  std::string out = fmt::format("{:<{}}  checks", "section", width);
  for (const std::string_view level : kLevels) out += fmt::format("  {}", level);
  out += "  missing\n";
  for (const auto& [section, row] : rows) out += line(section.file, width, row);
  out += line("total", width, total);
  if (musts == 0) return out + "\nEvery MUST of the catalogue has a check.\n";
  return out + fmt::format("\n{} MUST row{} of the catalogue without a check:\n{}", musts, musts == 1 ? "" : "s", must);
}

std::string levels_text(std::span<const Requirement> catalogue, std::span<const CheckLevel> checks,
                        const std::string& protocol) {
  std::map<std::string_view, const Requirement*> rows;
  for (const Requirement& row : catalogue) rows[row.id] = &row;
  std::string out;
  std::size_t changed = 0, compared = 0;
  for (const CheckLevel& check : checks) {
    const auto found = rows.find(check.id);
    if (found == rows.end() || !is_about(check.id, found->second->protocol, protocol)) continue;
    ++compared;
    if (found->second->level == check.level) continue;
    ++changed;
    out += fmt::format("{}  {} instead of {}\n    {}\n", check.id, check.level, found->second->level,
                       check.note.empty() ? "no note says why" : check.note);
  }
  return out + fmt::format("{}{} of {} checks that the catalogue has are of another level than there\n",
                           changed == 0 ? "" : "\n", changed, compared);
}

}  // namespace mailproof::report
