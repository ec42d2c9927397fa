#include "load/scene.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "net/loop.h"

namespace mailproof::load {
namespace {

constexpr std::size_t kMostNoted = 4'000'000;  ///< sessions; 32 octets each
constexpr std::size_t kMostScanners = 64;      ///< kept for their memory
constexpr std::size_t kMostExamples = 64, kMostWrongs = 1000;

}  // namespace

Scene::Scene(Network& network_in, const scenario::Target& target_in, const scenario::Plan& plan_in,
             PlanSettings settings_in, std::vector<scenario::PoolAccount> accounts_in)
    : network(network_in),
      target(target_in),
      plan(plan_in),
      settings(std::move(settings_in)),
      accounts(std::move(accounts_in)),
      parcels(settings.run_id, settings.seed,
              [this](std::uint32_t account) -> const std::string& { return accounts[account].address; }),
      sessions(1),  // 0 is nobody
      trash(accounts.size(), Trash::unknown),
      sent(accounts.size(), Trash::unknown),
      pop3_download(target.pop3_download),
      inbox_uidvalidity_(accounts.size(), 0),
      visible_(operations.id("delivery-to-visible")),
      visible_imap_(operations.id("delivery-to-visible.imap")),
      visible_pop3_(operations.id("delivery-to-visible.pop3")),
      notice_(operations.id("imap.idle-notice")) {
  // One password is that of many accounts, mostly.
  std::set<std::string_view> known;
  for (const auto& account : accounts)
    if (known.insert(account.password.reveal()).second) secrets_.add(account.login, account.password);
}

Duration Scene::drawn(scenario::Span span, Rng& rng) const {
  const auto width = static_cast<double>((span.most - span.least).count());
  const double part = static_cast<double>(rng.next()) / 4294967296.0;
  return paced(span.least + Duration(static_cast<std::int64_t>(width * part)));
}

session::ClientConfig Scene::client_config(const Endpoint& endpoint, const scenario::PoolAccount* account,
                                           std::size_t who) const {
  session::ClientConfig config;
  config.endpoint = endpoint;
  if (!settings.sources.empty()) config.endpoint.source = settings.sources[who % settings.sources.size()];
  if (account != nullptr) {
    config.login.user = account->login;
    config.login.password = account->password;
  }
  const auto scaled = [&](Duration d) {
    return Duration(static_cast<std::int64_t>(static_cast<double>(d.count()) * settings.patience));
  };
  config.greeting_bound = scaled(config.greeting_bound);
  config.command_bound = scaled(config.command_bound);
  config.people_names = true;
  config.salted_passwords = settings.salted_passwords;
  return config;
}

std::shared_ptr<const session::ClientConfig> Scene::imap_config(const Endpoint& endpoint, std::size_t who,
                                                                session::AskCapabilities capabilities,
                                                                bool people_names) {
  const std::string& source =
      settings.sources.empty() ? endpoint.source : settings.sources[who % settings.sources.size()];
  for (const auto& one : imap_configs_)
    if (one->capabilities == capabilities && one->people_names == people_names && one->endpoint.port == endpoint.port &&
        one->endpoint.tls == endpoint.tls && one->endpoint.host == endpoint.host && one->endpoint.source == source)
      return one;
  auto made = client_config(endpoint, nullptr, who);
  made.capabilities = capabilities;
  made.people_names = people_names;
  return imap_configs_.emplace_back(std::make_shared<const session::ClientConfig>(std::move(made)));
}

const Endpoint* Scene::endpoint(Protocol protocol, std::optional<TlsMode> tls) const {
  const auto& all = protocol == Protocol::imap   ? target.imap
                    : protocol == Protocol::pop3 ? target.pop3
                    : protocol == Protocol::smtp ? target.smtp
                                                 : target.lmtp;
  for (const Endpoint& one : all)
    if (!tls || one.tls == *tls) return &one;
  return nullptr;
}

std::shared_ptr<const std::string> Scene::compose(std::size_t parcel, const std::string& from) {
  constexpr std::uint64_t kPlain = 16 << 10;  // what is larger has an attachment
  Parcel& one = parcels.at(parcel);
  mail::MessageSpec spec;
  spec.token = parcels.token(parcel);
  spec.size = one.size;
  spec.look = one.size > kPlain ? mail::Look::office : mail::Look::plain;
  spec.to = spec.token.owner;
  spec.from = from;
  spec.set = "load";
  spec.date = settings.date;
  const auto made = mail::make_message(spec);
  one.hash = made.hash;
  one.size = static_cast<std::uint32_t>(made.text->size());
  return made.text;
}

void Scene::begin(Time zero) {
  operations.start(zero);
  most_connections = connections;  // the load's own, and not those of the look before it
  began_ = true;
  zero_ = zero;
}

void Scene::connected(int change) {
  connections += static_cast<std::size_t>(change);
  most_connections = std::max(most_connections, connections);
  if (began_ && !over) operations.gauge("connections").change(change, network.now());
}

void Scene::handshake(std::string_view who, const TlsFacts& facts, Time now) {
  if (!facts.established || network.simulated()) return;  // there it is a seal
  const Time began = now - facts.took;
  done(operation(fmt::format("{}.tls.{}", who, facts.resumed ? "resumed" : "full")), {began, began, now});
}

std::uint32_t Scene::note_session(std::uint32_t account, std::uint16_t profile, Protocol protocol) {
  connected(1);
  if (sessions.size() >= kMostNoted) return 0;
  sessions.push_back({account, profile, protocol, network.now(), Time{}});
  return static_cast<std::uint32_t>(sessions.size() - 1);
}

void Scene::session_over(std::uint32_t session) {
  connected(-1);
  if (session != 0) sessions[session].ended = network.now();
}

void Scene::done(stats::Operations::Id id, const Times& times) {
  if (!counts(times.intended)) return;
  auto& one = operations.at(id);
  one.due(times.intended);
  one.begin(times.intended, std::max(times.start, times.intended));
  one.succeed(times.intended, std::max(times.start, times.intended), times.end);
}

void Scene::missed(stats::Operations::Id id, Time due, Time now) {
  if (!counts(due)) return;
  auto& one = operations.at(id);
  one.due(due);
  one.never(now - due, 1, now);
}

void Scene::failed(stats::Operations::Id id, const Times& times, std::string_view error_class,
                   const FlightRecorder* wire, std::uint32_t account) {
  if (!counts(times.intended)) return;
  auto& one = operations.at(id);
  one.due(times.intended);
  one.begin(times.intended, std::max(times.start, times.intended));
  one.fail_as(error_class, times.end);
  sample(id, error_class, wire, account);
}

void Scene::unanswered(stats::Operations::Id id, const Times& times, std::string_view error_class,
                       const FlightRecorder* wire, std::uint32_t account) {
  if (!counts(times.intended)) return;
  auto& one = operations.at(id);
  one.due(times.intended);
  one.begin(times.intended, std::max(times.start, times.intended));
  one.unknown_as(error_class, times.end);
  sample(id, error_class, wire, account);
}

void Scene::timed_out(stats::Operations::Id id, const Times& times, std::string_view error_class,
                      const FlightRecorder* wire, std::uint32_t account) {
  if (!counts(times.intended)) return;
  auto& one = operations.at(id);
  const Time start = std::max(times.start, times.intended);
  one.due(times.intended);
  one.begin(times.intended, start);
  one.time_out_as(error_class, times.intended, start, std::max(times.end, start));
  sample(id, error_class, wire, account);
}

void Scene::sample(stats::Operations::Id id, std::string_view error_class, const FlightRecorder* wire,
                   std::uint32_t account) {
  if (wire == nullptr) return;
  std::string of;
  operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (&one == &operations.at(id)) of = fmt::format("{}: {}", name, error_class);
  });
  const Duration at = network.now() - zero_;
  const std::uint32_t number = account * settings.jobs + settings.job;
  if (!samples.wanted(of, number, at)) return;
  std::string text = masked(*wire);
  if (text.size() > Samples::kMostOctets) text.erase(0, text.find('\n', text.size() - Samples::kMostOctets) + 1);
  samples.add(of, {number, at, std::move(text)});
}

std::string Scene::masked(const FlightRecorder& wire) const { return secrets_.masked(wire.text(zero_)); }

void Scene::example(std::string_view error_class, const std::string& text) {
  if (!over && examples.size() < kMostExamples) examples.try_emplace(std::string(error_class), text);
}

void Scene::accepted(std::size_t parcel, Time now) {
  Parcel& one = parcels.at(parcel);
  parcels.came_to(parcel, Parcel::Outcome::accepted);
  one.accepted = now;
  if (one.was_seen) visible(parcel);
}

/// A device may see a message before the delivery's answer is here: then it waited for nothing.
void Scene::visible(std::size_t parcel) {
  if (over) return;  // counted as never seen
  const Parcel& one = parcels.at(parcel);
  const Times times{one.accepted, one.accepted, std::max(one.seen, one.accepted)};
  done(visible_, times);
  const bool pop3 = one.seen_by != 0 && sessions[one.seen_by].protocol == Protocol::pop3;
  done(pop3 ? visible_pop3_ : visible_imap_, times);
}

void Scene::seen(std::size_t parcel, std::uint32_t session, std::optional<Time> told, Time now) {
  Parcel& one = parcels.at(parcel);
  if (told && !over && one.outcome == Parcel::Outcome::accepted)
    done(notice_, {one.accepted, one.accepted, std::max(*told, one.accepted)});
  if (one.was_seen) return;
  parcels.was_seen(parcel);
  one.seen = now;
  one.seen_by = session;
  if (one.outcome == Parcel::Outcome::accepted) visible(parcel);
}

void Scene::lies_at(std::size_t parcel, std::uint32_t uid, std::uint32_t uidvalidity, std::uint32_t session) {
  constexpr std::uint32_t kMany = ~std::uint32_t{0};  // it changed: UIDs of before and after say nothing together
  Parcel& one = parcels.at(parcel);
  std::uint32_t& known = inbox_uidvalidity_[one.account];
  if (known == 0) known = uidvalidity;
  if (known != uidvalidity) known = kMany;
  if (known == kMany || known == 0 || one.uid == uid) return;
  if (one.uid == 0)
    one.uid = uid;
  else
    twice(parcel, session, fmt::format("came as UID {} and as UID {}", one.uid, uid));
}

void Scene::twice(std::size_t parcel, std::uint32_t session, const std::string& where) {
  Parcel& one = parcels.at(parcel);
  if (one.twice) return;
  one.twice = true;
  if (doubles.size() < kMostWrongs)
    doubles.emplace_back(parcel, fmt::format("{}: {}, last in {}", parcel_text(parcel), where, session_text(session)));
}

void Scene::content_seen(std::size_t parcel, std::uint32_t session, std::uint64_t hash, Time now) {
  if (hash == parcels.at(parcel).hash) return;
  auto& lines = wrongs["altered"];
  if (lines.size() < kMostWrongs)
    lines.push_back(fmt::format("{}: other content than was sent came at {} in {}", parcel_text(parcel),
                                format_seconds(now - zero_), session_text(session)));
}

void Scene::reappeared(std::size_t parcel, std::uint32_t session) {
  auto& lines = wrongs["reappeared"];
  if (lines.size() < kMostWrongs)
    lines.push_back(fmt::format("{}: removed in {}, there again in {}", parcel_text(parcel),
                                session_text(parcels.at(parcel).removed_by), session_text(session)));
}

void Scene::leaked(const mail::Token& token, std::uint32_t account, std::uint32_t session) {
  auto& lines = wrongs["leaked"];
  if (lines.size() < kMostWrongs)
    lines.push_back(fmt::format("message {}, sent to {}, lies in the mailbox of {}: {}", token.number, token.owner,
                                accounts[account].login, session_text(session)));
}

std::string Scene::session_text(std::uint32_t session) const {
  if (session == 0 || session >= sessions.size()) return "a session that was not noted";
  const SessionNote& note = sessions[session];
  const auto time = [this](Time t) { return format_seconds(t - zero_); };
  const bool audit = note.profile >= plan.profiles.size();
  return fmt::format("{} session {} ({}) of {}, {} to {}", name(note.protocol), session,
                     audit ? "audit" : plan.profiles[note.profile].name, accounts[note.account].login,
                     time(note.opened), note.ended == Time{} ? "the end" : time(note.ended));
}

std::string Scene::parcel_text(std::size_t parcel) const {
  const Parcel& one = parcels.at(parcel);
  std::string out = fmt::format("message {} to {}", parcels.number(parcel), accounts[one.account].login);
  if (one.outcome == Parcel::Outcome::accepted)
    out += fmt::format(", accepted at {}", format_seconds(one.accepted - zero_));
  return out;
}

std::unique_ptr<mail::ContentScanner> Scene::borrow_scanner() {
  if (scanners_.empty()) {
    scanners_.push_back(std::make_unique<mail::ContentScanner>());
    scanners_.back()->whole_only();
  }
  auto out = std::move(scanners_.back());
  scanners_.pop_back();
  return out;
}

void Scene::give_back(std::unique_ptr<mail::ContentScanner> scanner) {
  if (scanner && scanners_.size() < kMostScanners) scanners_.push_back(std::move(scanner));
}

}  // namespace mailproof::load
