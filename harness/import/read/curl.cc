// What `curl --trace FILE` writes: every octet in hexadecimal. --trace-time puts the time of day before each entry.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "import/read/overheard.h"

namespace mailproof::imports {
namespace {

/// "10:15:02.104113 " off the front.
std::optional<ClockTime> take_time_of_day(std::string_view& line) {
  constexpr std::string_view kForm = "00:00:00.000000 ";
  if (line.size() < kForm.size()) return std::nullopt;
  std::int64_t parts[4] = {};
  const std::size_t from[4] = {0, 3, 6, 9}, size[4] = {2, 2, 2, 6};
  for (std::size_t i = 0; i < kForm.size(); ++i)
    if (kForm[i] != '0' ? line[i] != kForm[i] : line[i] < '0' || line[i] > '9') return std::nullopt;
  for (std::size_t i = 0; i < 4; ++i) std::from_chars(line.data() + from[i], line.data() + from[i] + size[i], parts[i]);
  line.remove_prefix(kForm.size());
  return std::chrono::hours(parts[0]) + std::chrono::minutes(parts[1]) + std::chrono::seconds(parts[2]) +
         std::chrono::microseconds(parts[3]);
}

/// "0000: 41 30 30 31 20 ... A001 ": up to sixteen octets.
std::optional<std::string> octets_of(std::string_view line) {
  const std::size_t colon = line.find(": ");
  if (colon == std::string_view::npos || colon < 4) return std::nullopt;
  std::string out;
  for (std::size_t at = colon + 2; out.size() < 16 && at + 2 < line.size() + 1; at += 3) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(line.data() + at, line.data() + std::min(at + 2, line.size()), value, 16);
    if (error != std::errc() || end != line.data() + at + 2) break;
    out += static_cast<char>(value);
    if (at + 2 >= line.size() || line[at + 2] != ' ') break;
  }
  if (out.empty()) return std::nullopt;
  return out;
}

/// "=> Send header, 15 bytes (0xf)": how many.
std::size_t announced(std::string_view entry) {
  const std::size_t comma = entry.find(", ");
  std::size_t count = 0;
  if (comma != std::string_view::npos) std::from_chars(entry.data() + comma + 2, entry.data() + entry.size(), count);
  return count;
}

}  // namespace

Result<std::vector<Overheard>> read_curl_trace(const std::string& path, const std::string& text) {
  std::vector<Overheard> all;
  Overheard now;
  ClockTime at{};
  std::size_t missing = 0;  // octets of the entry that are still to come
  bool kept = false;        // they are the protocol's, not those of TLS
  std::size_t literal = 0;  // octets of a message that must come before the next line
  const auto close = [&] {
    now.file = path;
    if (now.about.server.empty()) now.about.server = path;
    if (recognise(now)) all.push_back(std::move(now));
    now = {};
  };
  std::string_view rest = text;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (missing > 0) {
      const auto octets = octets_of(line);
      if (!octets || octets->size() > missing || (octets->size() < std::min<std::size_t>(missing, 16)))
        return Error{fmt::format("{}:{}:1", path, number),
                     fmt::format("expected {} octets in hexadecimal, as --trace writes them (--trace-ascii leaves some "
                                 "out), and here is: {}",
                                 std::min<std::size_t>(missing, 16), printable(line, 60))};
      if (kept) now.pieces.back().text += *octets;
      missing -= octets->size();
      continue;
    }
    // Entries without a time keep their order.
    at = take_time_of_day(line).value_or(at + std::chrono::microseconds(1));
    if (line.starts_with('[')) line.remove_prefix(std::min(line.find("] ") + 2, line.size()));  // --trace-ids
    constexpr std::string_view kConnectedTo = "== Info: Connected to ";
    if (line.starts_with(kConnectedTo)) {
      close();
      now.about.server = line.substr(kConnectedTo.size(), line.find(" (", kConnectedTo.size()) - kConnectedTo.size());
    }
    // curl does not trace what of a message came together with the line before it.
    constexpr std::string_view kFound = "== Info: Found ";
    if (line.starts_with(kFound)) std::from_chars(line.data() + kFound.size(), line.data() + line.size(), literal);
    const bool data = line.starts_with("<= Recv data");
    if (literal > 0 && line.starts_with("<= Recv header")) {
      now.pieces.push_back({Piece::Kind::gap, at, "curl did not write down the message that it fetched", false});
      literal = 0;
    }
    const bool sent = line.starts_with("=> Send "), came = line.starts_with("<= Recv ");
    if (!sent && !came) continue;
    missing = announced(line);
    if (data) literal -= std::min(literal, missing);
    kept = line.find("SSL data") == std::string_view::npos;
    if (kept) now.pieces.push_back({sent ? Piece::Kind::client : Piece::Kind::server, at, "", false});
  }
  close();
  return all;
}

}  // namespace mailproof::imports
