#include "wire/smtp/extensions.h"

#include "core/bytes.h"
#include "wire/text/words.h"

namespace mailproof::smtp {

/// ehlo-line = ehlo-keyword *( SP ehlo-param )
void Extensions::read(const Reply& reply) {
  clear();
  std::string_view rest = reply.text;
  bool first = true;
  while (true) {
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    const std::string_view word = text::take_word(line);
    if (first) {
      domain_ = word;
    } else if (istarts_with(word, "AUTH=") && !has("AUTH")) {
      keywords_.emplace("AUTH", std::string(word.substr(5)) + ' ' + std::string(line));
    } else if (!word.empty() && keywords_.size() < kMost) {
      keywords_.insert_or_assign(upper(word), std::string(line));
    }
    first = false;
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

std::string_view Extensions::parameters(std::string_view keyword) const {
  const auto found = keywords_.find(keyword);
  return found == keywords_.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<std::uint64_t> Extensions::size() const {
  return text::parse_number<std::uint64_t>(text::trim(parameters("SIZE")));
}

std::vector<sasl::Mechanism> Extensions::auth() const {
  std::vector<sasl::Mechanism> mechanisms;
  std::string_view rest = parameters("AUTH");
  while (!rest.empty())
    if (const auto mechanism = sasl::parse_mechanism(text::take_word(rest))) mechanisms.push_back(*mechanism);
  return mechanisms;
}

}  // namespace mailproof::smtp
