// The size that LIST tells is the size that RETR sends: RFC 1939 sections 5 and 11.
#include <fmt/format.h>

#include <map>

#include "judge/rules/pop3_rules.h"
#include "wire/pop3/listing.h"
#include "wire/text/words.h"

namespace mailproof::judge::pop3_rules {

/// Behind UTF8 sizes are a SHOULD (RFC 6856 section 3), and those told before it are of another form of the message.
void retr_size(const Pop3Exchanges& talk, Found& found) {
  std::map<std::uint32_t, std::uint64_t> told;
  for (const Pop3Exchange& exchange : talk.all()) {
    if (exchange.to != Pop3Exchange::To::command || !exchange.positive()) continue;
    if (exchange.keyword == "UTF8") return;
    if (exchange.keyword == "LIST") {
      if (!exchange.multi_line) {
        if (const auto row = pop3::parse_scan_listing(exchange.text())) told[row.value().number] = row.value().octets;
      } else {
        for (const BodyLine& line : body_lines(exchange))
          if (const auto row = pop3::parse_scan_listing(line.text)) told[row.value().number] = row.value().octets;
      }
    }
    if (exchange.keyword != "RETR" || !exchange.whole) continue;
    const auto number = text::parse_number<std::uint32_t>(exchange.argument);
    const auto known = number ? told.find(*number) : told.end();
    if (known == told.end() || known->second == exchange.octets) continue;
    found.push_back({fmt::format("{} octets, which LIST told for message {}", known->second, *number),
                     fmt::format("RETR {} sent {} octets (stuffing left out)", *number, exchange.octets),
                     exchange.excerpt()});
  }
}

}  // namespace mailproof::judge::pop3_rules
