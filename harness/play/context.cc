#include "play/context.h"

#include <fmt/format.h>

#include <algorithm>

#include "scenario/plan/profile.h"

namespace mailproof::play {
namespace {

/// A history is kept in memory: what servers may flood it with is bounded over all sessions of a scenario, so that each
/// flooded one leaves room for the next. In octets of events; ledger, readers and judges need about as much again.
constexpr std::uint64_t kMostKept = 20U << 20;
constexpr std::uint64_t kMostKeptUnderLoad = 2U << 20;  ///< there are many copies of it
constexpr std::uint64_t kFewestKept = 256U << 10;
/// Of the byte logs of all sessions together, but for what each of them gets anyhow.
constexpr std::size_t kMostLogged = 8U << 20;
constexpr std::size_t kFewestLogged = 64U << 10;
/// Of one answer, kept or not.
constexpr std::uint64_t kMostResponses = 250'000;

std::size_t memory_of(const std::string& text) {
  static const std::size_t inside = std::string().capacity();
  return text.capacity() > inside ? text.capacity() + 1 : 0;
}

std::size_t memory_of_texts(const history::Event& e) {
  std::size_t octets = 0;
  for (const std::string* text : {&e.mailbox, &e.other_mailbox, &e.set, &e.flags, &e.code, &e.text})
    octets += memory_of(*text);
  return octets;
}

}  // namespace

void Context::keeps(std::uint32_t session, std::size_t octets) {
  if (session == 0 || session > shares.size()) return;
  shares[session - 1].used += octets;
  kept += octets;
}

/// What we ask for is bounded by the story; what is answered at least in number.
const history::Event& Context::counted(const history::Event& e) {
  const bool told = e.type == history::Type::obs && e.what != history::What::baseline;
  if (e.type != history::Type::invoke) keeps(e.session, memory_of_texts(e) + (told ? sizeof e : 0));
  return e;
}

void Context::fail(std::string_view code, std::string text) {
  history.secrets.mask(text);
  if (problem.empty()) problem = text;
  auto e = event(history::Type::obs, history::What::problem);
  e.code = code;
  e.text = std::move(text);
  append(std::move(e));
}

void Context::inapplicable(std::string why) {
  if (problem.empty()) problem = why;
  auto e = event(history::Type::obs, history::What::not_applicable);
  e.text = std::move(why);
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
  std::size_t logged = 0;
  for (const auto& log : logs) logged += log->held();
  const std::size_t room = std::max((kMostLogged - std::min(logged, kMostLogged)) / 2, kFewestLogged);
  const std::size_t limit = options.load ? 8192 : std::min(options.wire_limit, room);
  logs.push_back(std::make_unique<history::WireLog>(limit, &history.secrets));
  if (std::find(options.keep_bytes.begin(), options.keep_bytes.end(), protocol) != options.keep_bytes.end())
    logs.back()->keep_bytes(protocol, info.label);
  const std::uint64_t most = options.load ? kMostKeptUnderLoad : kMostKept;
  shares.push_back({std::max((most - std::min(kept, most)) / 2, kFewestKept), 0});
  return history.add_session(std::move(info));
}

session::ClientConfig Context::client_config(const Endpoint& where, std::uint32_t account, std::uint32_t session,
                                             const std::string& mechanism, const scenario::Profile* profile) {
  session::ClientConfig config;
  if (profile != nullptr) {
    config.login.preferred = profile->mechanisms;
    if (profile->capabilities == scenario::CapabilityAsks::before_login)
      config.capabilities = session::AskCapabilities::before_login;
  }
  config.endpoint = where;
  if (account != 0) {
    config.login.user = accounts.at(account - 1).login;
    config.login.password = accounts.at(account - 1).password;
    config.login.mechanism = mechanism;
  }
  config.people_names = true;
  config.utf8 = true;
  config.salted_passwords = options.salted_passwords;
  config.greeting_bound = scaled(config.greeting_bound);
  config.command_bound = scaled(config.command_bound);
  config.max_responses = kMostResponses;
  config.share = &shares.at(session - 1);
  return config;
}

const std::set<std::string>& Context::there_before(std::uint32_t account) const {
  static const std::set<std::string> none;
  const MailboxesBefore& all = options.baseline || options.before == nullptr ? before : *options.before;
  const auto found = all.find(account);
  return found == all.end() ? none : found->second;
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
