#include "server/sasl_exchange.h"

#include <fmt/format.h>

#include "core/hash.h"

namespace mailproof::server {
namespace {

using sasl::Mechanism;

/// The same at every login and for every server of ours, so that whoever logs in may keep what he derived from it.
constexpr std::string_view kSalt = "mailproof's salt";

/// Of all servers of this thread, for it depends on nothing but passwords and the salt: in simulation each scenario has
/// a server of its own, and 4,096 HMACs for each of them were half of the time.
sasl::SaltedPasswords& salted_passwords() {
  static thread_local sasl::SaltedPasswords passwords;
  return passwords;
}

sasl::ServerFacts facts(ServerContext& context) {
  const auto number = (std::uint64_t{context.rng.next()} << 32U) | context.rng.next();
  sasl::ServerFacts facts;
  facts.password_of = [&context](std::string_view user) -> std::optional<Secret> {
    const auto* account = context.store.by_login(user);
    if (account == nullptr) return std::nullopt;
    return account->config().password;
  };
  facts.nonce = fmt::format("{:016x}", number);
  facts.salt = kSalt;
  facts.cram_challenge = fmt::format("<{}@{}>", number, context.options.host);
  facts.cache = &salted_passwords();
  return facts;
}

}  // namespace

bool offered(Mechanism mechanism, bool may_send_password) {
  return may_send_password || !sasl::sends_password(mechanism);
}

std::string offered_mechanisms(bool may_send_password, std::string_view prefix) {
  std::string list;
  for (const auto mechanism : {Mechanism::plain, Mechanism::login, Mechanism::cram_md5, Mechanism::scram_sha_256}) {
    if (!offered(mechanism, may_send_password)) continue;
    list += fmt::format("{}{}{}", list.empty() ? "" : " ", prefix, sasl::name(mechanism));
  }
  return list;
}

AccountState* check_password(const ServerContext& context, std::string_view login, std::string_view password) {
  auto* account = context.store.by_login(login);
  return account != nullptr && account->config().password.reveal() == password ? account : nullptr;
}

SaslExchange::SaslExchange(ServerContext& context, Mechanism mechanism)
    : context_(context), mechanism_(mechanism), server_(sasl::make_server(mechanism, facts(context))) {}

SaslExchange::Step SaslExchange::begin(std::optional<std::string_view> initial_response) {
  if (!initial_response) return {.kind = Step::Kind::challenge, .challenge = base64(server_->challenge())};
  // Where the server begins, the client has nothing to say first (RFC 4959 section 3, RFC 4954 section 4).
  if (mechanism_ == sasl::Mechanism::cram_md5) return {.kind = Step::Kind::malformed, .challenge = {}};
  return *initial_response == "=" ? respond({}) : line(*initial_response);
}

SaslExchange::Step SaslExchange::line(std::string_view response) {
  if (response == "*") return {.kind = Step::Kind::cancelled, .challenge = {}};
  if (response.size() > kLongestLine) return {.kind = Step::Kind::malformed, .challenge = {}};
  const auto decoded = unbase64(response);
  if (!decoded) return {.kind = Step::Kind::malformed, .challenge = {}};
  return respond(*decoded);
}

SaslExchange::Step SaslExchange::respond(std::string_view response) {
  const auto step = server_->step(response);
  switch (step.kind) {
    case sasl::Step::Kind::challenge:
      return {.kind = Step::Kind::challenge, .challenge = base64(step.data)};
    case sasl::Step::Kind::success:
      return {Step::Kind::success, {}, context_.store.by_login(server_->user())};
    case sasl::Step::Kind::failure:
      break;
  }
  return {.kind = Step::Kind::wrong, .challenge = {}};
}

}  // namespace mailproof::server
