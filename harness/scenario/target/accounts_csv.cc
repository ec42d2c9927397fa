#include <fmt/format.h>

#include "core/units.h"
#include "scenario/target/pool.h"

namespace mailproof::scenario {
namespace {

struct Field {
  std::string text;
  int column = 1;
};

/// A field in quotes that begins at `i`; a quote inside is doubled. `i` ends behind it. False when it is left open.
bool read_quoted(std::string_view line, std::size_t& i, std::string& out) {
  for (++i; i < line.size(); ++i) {
    if (line[i] == '"') {
      ++i;
      if (i == line.size() || line[i] != '"') return true;
    }
    out += line[i];
  }
  return false;
}

/// One record; a field in quotes may hold commas and doubled quotes, but no line break. Nothing when a quote is left
/// open.
std::optional<std::vector<Field>> split_record(std::string_view line) {
  std::vector<Field> out;
  std::size_t i = 0;
  while (true) {
    Field field;
    while (i < line.size() && line[i] == ' ') ++i;
    field.column = static_cast<int>(i) + 1;
    if (i < line.size() && line[i] == '"') {
      if (!read_quoted(line, i, field.text)) return std::nullopt;
      i = std::min(line.find(',', i), line.size());
    } else {
      const auto end = std::min(line.find(',', i), line.size());
      field.text = line.substr(i, end - i);
      while (field.text.ends_with(' ')) field.text.pop_back();
      i = end;
    }
    out.push_back(std::move(field));
    if (i >= line.size()) return out;
    ++i;
  }
}

void read_record(const std::vector<Field>& fields, int line, Complaints& complaints, std::vector<PoolAccount>& out) {
  // Only the login is ever shown: with fields missing or swapped any other may be a password.
  if (fields.size() < 3 || fields.size() > 4)
    return complaints.at({line, 1}, fmt::format("{} fields", fields.size()),
                         "login, address, password and perhaps a quota");
  if (fields[0].text.empty()) return complaints.at({line, fields[0].column}, "", "a login as the first field");
  if (fields[1].text.find('@') == std::string::npos)
    return complaints.at({line, fields[1].column}, fields[0].text, "an address with @ as the second field");
  if (fields[2].text.empty())
    return complaints.at({line, fields[2].column}, fields[0].text, "a password as the third field");
  PoolAccount account{fields[0].text, fields[1].text, Secret(fields[2].text), std::nullopt};
  if (fields.size() == 4 && !fields[3].text.empty()) {
    account.quota = parse_size(fields[3].text);
    if (!account.quota)
      return complaints.at({line, fields[3].column}, fields[0].text,
                           "a quota like 512, 8KiB or 2MB as the fourth field");
  }
  out.push_back(std::move(account));
}

}  // namespace

void read_accounts_csv(std::string_view text, Complaints& complaints, std::vector<PoolAccount>& out) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  for (int number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto fields = split_record(line);
    if (!fields) {
      complaints.at({number, 1}, "\"", "a second quote that ends the field");
    } else if (number > 1 || fields->front().text != "login") {
      read_record(*fields, number, complaints, out);
    }
  }
}

}  // namespace mailproof::scenario
