#include "import/observe/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "history/heard.h"

namespace mailproof::imports {

using history::Event;
using history::Type;
using history::What;

namespace {

std::string_view local_part(std::string_view address) { return address.substr(0, address.rfind('@')); }

/// As a file's name and in a line of a report.
std::string plain(std::string_view name) {
  std::string out(name.substr(0, 60));
  for (char& c : out) {
    const auto u = static_cast<unsigned char>(c);
    if (u <= 0x20 || u >= 0x7f || c == '/' || c == '\\' || c == '"' || c == '#') c = '_';
  }
  return out;
}

}  // namespace

Recording::Recording(history::HistoryInfo info, std::size_t log) : mail_(history), log_(log) {
  info.recorded = true;
  history.info = std::move(info);
  history.excerpt = [this](std::uint32_t session, history::WireRef at) {
    return session == 0 || session > logs_.size() ? std::string() : logs_[session - 1]->excerpt(at);
  };
}

std::unique_ptr<history::WireLog> Recording::make_log() const {
  return std::make_unique<history::WireLog>(log_, &history.secrets);
}

std::unique_ptr<Observer> Recording::watch(Conversation conversation) {
  switch (conversation.protocol) {
    case Protocol::imap:
      return observe_imap(*this, std::move(conversation));
    case Protocol::pop3:
      return observe_pop3(*this, std::move(conversation));
    case Protocol::smtp:
    case Protocol::lmtp:
      return observe_smtp(*this, std::move(conversation));
  }
  return nullptr;
}

std::uint32_t Recording::add_account(const std::string& login, const std::string& address, const std::string& realm) {
  const std::string& called = login.empty() ? address : login;
  auto& all = history.info.accounts;
  const bool taken = std::any_of(alike(called).begin(), alike(called).end(),
                                 [&](std::uint32_t n) { return all[n - 1].name == called; });
  all.push_back(
      {taken && !realm.empty() ? fmt::format("{} at {}", called, realm) : called, login, address, std::nullopt, 0});
  realms_.resize(all.size());
  realms_.back() = realm;
  const auto number = static_cast<std::uint32_t>(all.size());
  by_local_part_[lower(local_part(called))].push_back(number);
  return number;
}

/// Accounts whose local part is this name's.
const std::vector<std::uint32_t>& Recording::alike(std::string_view name) const {
  static const std::vector<std::uint32_t> none;
  const auto found = by_local_part_.find(lower(local_part(name)));
  return found == by_local_part_.end() ? none : found->second;
}

std::uint32_t Recording::account(const std::string& login, const std::string& realm) {
  auto& all = history.info.accounts;
  if (login.empty()) {
    const std::uint32_t nobody = add_account("", "");
    all.back().name = fmt::format("somebody-{}", ++nameless_);
    return nobody;
  }
  std::vector<std::uint32_t> addressed;  // mail was sent to it before anybody logged in
  for (const std::uint32_t n : alike(login)) {
    const auto& a = all[n - 1];
    if (a.login == login && realms_[n - 1] == realm) return n;
    if (a.login.empty() && (iequals(a.address, login) || iequals(local_part(a.address), login))) addressed.push_back(n);
  }
  if (addressed.size() != 1) return add_account(login, "", realm);
  all[addressed.front() - 1].login = login;
  realms_[addressed.front() - 1] = realm;
  return addressed.front();
}

std::uint32_t Recording::account_of_address(const std::string& address) {
  const auto& all = history.info.accounts;
  std::vector<std::uint32_t> fits;
  for (const std::uint32_t n : alike(address)) {
    const auto& a = all[n - 1];
    if ((!a.address.empty() && iequals(a.address, address)) || iequals(a.login, address)) return n;
    if (a.address.empty() && iequals(a.login, local_part(address))) fits.push_back(n);
  }
  return fits.size() == 1 ? fits.front() : add_account("", address);
}

/// A log may name a login where a session has an address, and the other way about.
std::uint32_t Recording::account_meant(const std::string& user) {
  if (user.empty()) return 0;
  const auto& all = history.info.accounts;
  std::vector<std::uint32_t> fits;
  for (const std::uint32_t n : alike(user)) {
    const auto& a = all[n - 1];
    if (iequals(a.login, user) || iequals(a.address, user)) return n;
    const std::string_view name = a.login.empty() ? a.address : a.login;
    if (name.find('@') == std::string_view::npos || user.find('@') == std::string::npos) fits.push_back(n);
  }
  if (fits.size() == 1) return fits.front();
  return user.find('@') == std::string::npos ? add_account(user, "") : add_account("", user);
}

void Recording::witness(const Witness& witness, Time now) {
  Event e;
  e.type = Type::obs;
  e.what = What::observed;
  e.at = now;
  e.code = witness.code;
  e.text = witness.text;
  e.mailbox = witness.mailbox;
  e.uid = witness.uid;
  e.account = account_meant(witness.user);
  if (!witness.message_id.empty()) {
    Sight sight;
    sight.message_id = witness.message_id;
    e.message = mail_.number(sight, "");
  } else if (!witness.uidl.empty()) {
    e.message = mail_.at(fmt::format("{} pop3 {}", e.account, witness.uidl));
  }
  append(std::move(e));
}

std::uint32_t Recording::begin_session(const Conversation& about, std::uint32_t account,
                                       std::unique_ptr<history::WireLog> log) {
  const bool mta = about.protocol == Protocol::smtp || about.protocol == Protocol::lmtp;
  const auto [device, fresh] = devices_.try_emplace({account, about.protocol, about.client}, 0);
  if (fresh) {
    const std::string base = account == 0
                                 ? std::string(name(about.protocol))
                                 : fmt::format("{}-{}", plain(history.account(account).name), name(about.protocol));
    const auto same = std::count_if(history.info.devices.begin(), history.info.devices.end(), [&](const auto& other) {
      return other.name == base || other.name.starts_with(base + "-");
    });
    history.info.devices.push_back({same == 0 ? base : fmt::format("{}-{}", base, same + 1),
                                    mta                                ? history::DeviceKind::deliverer
                                    : about.protocol == Protocol::pop3 ? history::DeviceKind::pop3
                                                                       : history::DeviceKind::imap,
                                    account, ""});
    device->second = static_cast<std::uint32_t>(history.info.devices.size());
  }
  history::SessionInfo session;
  session.device = device->second;
  session.label = fmt::format("{}#{}", history.device(session.device).name, ++sessions_of_[session.device]);
  session.protocol = about.protocol;
  session.account = account;
  session.endpoint = fmt::format("{} {}", name(about.protocol), about.server);
  logs_.push_back(std::move(log));
  return history.add_session(std::move(session));
}

std::uint32_t Recording::append(Event event) {
  if (!history.events().empty()) event.at = std::max(event.at, history.events().back().at);
  return history.append(std::move(event)).index;
}

Listener::Listener(Recording& recording, Conversation about)
    : recording_(recording), about_(std::move(about)), own_log_(recording.make_log()), log_(own_log_.get()) {}

void Listener::begin(std::uint32_t account) {
  account_ = account;
  session_ = recording_.begin_session(about_, account, std::move(own_log_));
  auto invoke = event(Type::invoke, What::connect);
  invoke.text = recording_.history.session(session_).endpoint;
  append(std::move(invoke));
}

void Listener::logged_in(const std::string& user) {
  if (begun() || deaf_) return;
  begin(recording_.account(user.empty() ? about_.user : user, about_.realm));
  ready();
}

void Listener::ready() {
  auto e = event(Type::ok, What::connect);
  e.command = static_cast<std::uint32_t>(recording_.history.events().size());
  // When the login began is not known where it was not heard.
  const Time began = about_.begin == Begin::greeting ? *first_ : Time{};
  e.size = static_cast<std::uint64_t>((now_ - began).count());
  if (about_.unordered) e.code = history::kUnordered;
  if (about_.begin == Begin::middle) e.code = history::kMiddle;
  e.seq = about_.resolution;
  append(std::move(e));
  tell_held();
}

void Listener::tell_held() {
  for (auto& held : std::exchange(held_, {})) {
    held.session = session_;
    append(std::move(held));
  }
}

void Listener::begin_without_account() {
  if (begun() || deaf_) return;
  begin(0);
  ready();
}

Event Listener::event(Type type, What what) const {
  Event e;
  e.type = type;
  e.what = what;
  e.at = now_;
  e.session = session_;
  e.raw = log_->here();
  return e;
}

std::uint32_t Listener::append(Event e) {
  if (session_ != 0) return recording_.append(std::move(e));
  held_.push_back(std::move(e));
  return 0;
}

void Listener::deviation(std::string_view code, std::string_view excerpt) {
  auto e = event(Type::obs, What::deviation);
  e.code = code;
  e.text = excerpt;
  append(std::move(e));
}

void Listener::over(std::string_view flags, std::string_view code, std::string_view text) {
  if (std::exchange(deaf_, true)) return;
  abandon(text);
  if (!begun()) {
    begin(0);
    auto never = event(Type::fail, What::connect);
    never.command = static_cast<std::uint32_t>(recording_.history.events().size());
    never.code = refused_.empty() ? "" : "login";
    never.text = refused_.empty() ? "nobody logged in" : refused_;
    append(std::move(never));
    tell_held();
  }
  auto e = event(Type::obs, What::end);
  e.code = code;
  e.text = text;
  e.flags = flags;
  append(std::move(e));
}

void Listener::blind(std::string_view why, Time now) {
  at(now);
  if (deaf_) return;
  log_->note(why, now);
  over("ours", history::kBlind, fmt::format("from here on nothing is known: {}", why));
}

void Listener::tls_begins(std::string_view command) {
  if (!about_.in_the_clear) return blind(fmt::format("what follows {} is not in the clear", command), now_);
  log_->note("TLS", now_);
  upgrade_ = true;
}

void Listener::end(EndReason reason, bool by_server, Time now) {
  at(now);
  if (deaf_) return;
  // Whose doing it is, is mostly not known, and then nobody's.
  over(by_server ? "" : "ours", name(reason), by_server ? "the server ended the connection" : "the connection ended");
}

}  // namespace mailproof::imports
