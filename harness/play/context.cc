#include "play/context.h"

#include <fmt/format.h>

#include <algorithm>

namespace mailproof::play {
namespace {

/// A history is kept in memory: what servers may flood it with is bounded over all sessions of a scenario, so that each
/// flooded one leaves room for the next.
constexpr std::size_t kMostEvents = 100'000;
constexpr std::size_t kFewestResponses = 1'000;

}  // namespace

void Context::fail(std::string_view code, std::string text) {
  history.secrets.mask(text);
  if (problem.empty()) problem = text;
  auto e = event(history::Type::obs, history::What::problem);
  e.code = code;
  e.text = std::move(text);
  append(std::move(e));
}

std::uint32_t Context::new_session(std::uint32_t device, Protocol protocol, std::uint32_t account,
                                   std::uint32_t audit_round, const Endpoint& where, std::string_view lane) {
  if (ordinals.size() <= device) ordinals.resize(device + 1);
  history::SessionInfo info;
  const std::string name(!lane.empty() ? lane : device == 0 ? "audit" : history.device(device).name);
  info.label = fmt::format("{}#{}", name, ++ordinals[device]);
  info.device = device;
  info.protocol = protocol;
  info.account = account;
  info.audit_round = audit_round;
  info.endpoint = where.label();
  logs.push_back(std::make_unique<history::WireLog>(options.load ? 8192 : options.wire_limit, &history.secrets));
  if (std::find(options.keep_bytes.begin(), options.keep_bytes.end(), protocol) != options.keep_bytes.end())
    logs.back()->keep_bytes(protocol, info.label);
  return history.add_session(std::move(info));
}

session::ClientConfig Context::client_config(const Endpoint& where, std::uint32_t account,
                                             const std::string& mechanism) const {
  session::ClientConfig config;
  config.endpoint = where;
  if (account != 0) {
    config.login.user = accounts.at(account - 1).login;
    config.login.password = accounts.at(account - 1).password;
    config.login.mechanism = mechanism;
  }
  config.people_names = true;
  config.salted_passwords = options.salted_passwords;
  config.greeting_bound = scaled(config.greeting_bound);
  config.command_bound = scaled(config.command_bound);
  const std::size_t kept = std::min(history.events().size(), kMostEvents);
  config.max_responses = std::max((kMostEvents - kept) / 2, kFewestResponses);
  return config;
}

const Endpoint* Context::endpoint(Protocol protocol, std::optional<TlsMode> tls) const {
  const std::vector<Endpoint>* all = nullptr;
  switch (protocol) {
    case Protocol::imap:
      all = &target.imap;
      break;
    case Protocol::pop3:
      all = &target.pop3;
      break;
    case Protocol::smtp:
      all = &target.smtp;
      break;
    case Protocol::lmtp:
      all = &target.lmtp;
      break;
  }
  for (const Endpoint& candidate : *all)
    if (!tls || candidate.tls == *tls) return &candidate;
  return nullptr;
}

}  // namespace mailproof::play
