#include "play/talk/way_in.h"

#include <algorithm>

#include "core/bytes.h"
#include "core/hash.h"
#include "play/talk/match.h"
#include "session/sasl_dialogue.h"

namespace mailproof::play {

std::optional<sasl::Mechanism> instead_of_password(std::span<const std::string> offered) {
  std::vector<sasl::Mechanism> known;
  const auto add = [&](std::string_view name) {
    if (const auto mechanism = sasl::parse_mechanism(name)) known.push_back(*mechanism);
  };
  for (const std::string& line : offered) {
    const auto words = pattern_words(line);
    if (words.empty()) continue;
    if (istarts_with(words.front(), "AUTH=")) add(std::string_view(words.front()).substr(5));
    if (!iequals(words.front(), "SASL") && !iequals(words.front(), "AUTH")) continue;
    for (std::size_t i = 1; i < words.size(); ++i) add(words[i]);
  }
  if (std::ranges::any_of(known, sasl::sends_password)) return std::nullopt;
  return sasl::choose(known, false);
}

TalkSasl::TalkSasl(const Context& context, const scenario::PoolAccount& account, const Endpoint& endpoint,
                   sasl::Mechanism mechanism)
    : client_(sasl::make_client(mechanism, {account.login, account.password, ""},
                                session::make_nonce(endpoint, account.login, context.network.now()),
                                context.options.salted_passwords)) {}

Result<std::string> TalkSasl::answer(std::string_view line) {
  const auto blank = line.find(' ');
  const auto challenge = unbase64(blank == std::string_view::npos ? "" : line.substr(blank + 1));
  if (!challenge) return Error{std::string(mechanism()), "the challenge is not base64: " + printable(line)};
  if (!std::exchange(begun_, true))
    if (const auto first = client_->initial()) return base64(first->reveal());
  const auto response = client_->respond(*challenge);
  if (!response) return response.error();
  return base64(response->reveal());
}

}  // namespace mailproof::play
