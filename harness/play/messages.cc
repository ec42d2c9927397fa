#include "play/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/rng.h"
#include "wire/mime/encoded_words.h"

namespace mailproof::play {
namespace {

mail::Look look_of(scenario::MessageKind kind) {
  switch (kind) {
    case scenario::MessageKind::plain:
      return mail::Look::plain;
    case scenario::MessageKind::office:
      return mail::Look::office;
    case scenario::MessageKind::dot_lines:
      return mail::Look::dot_lines;
    case scenario::MessageKind::long_lines:
      return mail::Look::long_lines;
    case scenario::MessageKind::eight_bit:
      return mail::Look::eight_bit;
    case scenario::MessageKind::header_only:
      return mail::Look::header_only;
    case scenario::MessageKind::no_final_newline:
      return mail::Look::no_final_newline;
    case scenario::MessageKind::bare_lf:
      return mail::Look::bare_lf;
    case scenario::MessageKind::dots:
      return mail::Look::dots;
    case scenario::MessageKind::lone_dot:
      return mail::Look::lone_dot;
    case scenario::MessageKind::edge:
      return mail::Look::edge;
    case scenario::MessageKind::line:
      return mail::Look::line;
    case scenario::MessageKind::utf8_header:
      return mail::Look::utf8_header;
  }
  return mail::Look::plain;
}

}  // namespace

Messages::Made Messages::make(const scenario::NewMessages& what, std::uint32_t sender, const std::string& from,
                              const std::string& owner) {
  const auto number = static_cast<std::uint32_t>(specs_.size() + 1);
  mail::MessageSpec spec;
  spec.token = {run_id_, number, derive_seed(seed_, "message", number), owner};
  spec.look = look_of(what.kind);
  spec.size = what.size;
  spec.from = from;
  spec.to = owner;
  spec.set = what.set;
  spec.mime = what.mime;
  if (!what.subject.empty()) spec.subject = mime::encoded_words(what.subject);
  if (what.letter != nullptr) {
    if (what.subject.empty()) spec.subject = what.letter->subject;
    spec.letter = {std::shared_ptr<const std::string>(what.letter, &what.letter->fields),
                   std::shared_ptr<const std::string>(what.letter, &what.letter->body)};
  }
  spec.date = date_;
  const mail::Stamped stamped = mail::make_message(spec);
  auto& numbers = sets_[what.set];
  history::MessageInfo info;
  info.set = what.set;
  info.subject = mime::decoded_words(spec.subject);
  info.index = static_cast<std::uint32_t>(numbers.size() + 1);
  info.seed = spec.token.seed;
  info.size = stamped.text->size();
  info.hash = stamped.hash;
  info.header_lines = stamped.header_lines;
  info.body_lines = stamped.body_lines;
  info.header_octets = stamped.header_octets;
  info.header_hash = stamped.header_hash;
  info.sender = sender;
  specs_.push_back(std::move(spec));
  numbers.push_back(history_.add_message(std::move(info)));
  return {numbers.back(), stamped.text};
}

std::shared_ptr<const std::string> Messages::again(std::uint32_t number) const {
  return mail::make_message(specs_.at(number - 1)).text;
}

std::vector<std::uint32_t> Messages::numbers(const scenario::MessageRef& ref) const {
  const auto found = sets_.find(ref.set);
  if (found == sets_.end()) return {};
  const auto& all = found->second;
  if (ref.newest) return all.empty() ? all : std::vector<std::uint32_t>{all.back()};
  if (ref.first == 0) return all;
  const auto first = static_cast<std::size_t>(ref.first);
  const std::size_t last =
      ref.last < 0 ? all.size() : std::min(all.size(), static_cast<std::size_t>(std::max(ref.last, ref.first)));
  std::vector<std::uint32_t> out;
  for (std::size_t i = first; i <= last; ++i) out.push_back(all[i - 1]);
  return out;
}

std::uint32_t Messages::number_of(const mail::Token& token) const {
  return token.run == run_id_ && token.number >= 1 && token.number <= specs_.size() ? token.number : 0;
}

std::uint32_t Messages::exactly(const mail::Token& token) const {
  const std::uint32_t number = number_of(token);
  if (number == 0) return 0;
  const mail::Token& made = specs_[number - 1].token;
  return made.seed == token.seed && made.owner == token.owner ? number : 0;
}

bool Messages::made(std::string_view message_id) const {
  const std::string prefix = fmt::format("<{}.", playing());
  if (!istarts_with(message_id, prefix)) return false;
  std::uint32_t number = 0;
  const auto rest = message_id.substr(prefix.size());
  std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return number >= 1 && number <= specs_.size() && iequals(message_id, specs_[number - 1].token.message_id());
}

std::string Messages::playing() const { return fmt::format("{:016x}", run_id_); }

std::string Messages::envelope_id(std::uint32_t number) const { return fmt::format("{}.{}", playing(), number); }

std::uint32_t Messages::of_envelope(std::string_view id) const {
  const std::string prefix = playing() + ".";
  std::uint32_t number = 0;
  if (!istarts_with(id, prefix)) return 0;
  const auto rest = id.substr(prefix.size());
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  return error == std::errc() && end == rest.data() + rest.size() && number <= specs_.size() ? number : 0;
}

std::string Messages::no_playing() const { return fmt::format("{:016x}", mix(run_id_ ^ seed_)); }

}  // namespace mailproof::play
