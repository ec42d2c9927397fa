#include "play/recorded/pop3.h"

#include <fmt/format.h>

#include "core/bytes.h"
#include "core/units.h"
#include "history/announced.h"
#include "play/recorded/content.h"
#include "session/pop3/expire.h"
#include "wire/pop3/listing.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

constexpr Duration kSlack = std::chrono::seconds(1);  ///< whole seconds are announced

/// Nothing: it announces none.
std::optional<Duration> announced_login_delay(const std::vector<std::string>& lines) {
  pop3::Capabilities capabilities;
  for (const std::string& line : lines) capabilities.add(line);
  const auto seconds = capabilities.login_delay();
  if (!seconds || *seconds == 0) return std::nullopt;
  return std::chrono::seconds(*seconds) + kSlack;
}

}  // namespace

RecordedPop3::RecordedPop3(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
                           const Endpoint& endpoint, const std::string& mechanism, const scenario::Profile* profile)
    : context_(context),
      device_(device),
      account_(account),
      audit_round_(audit_round),
      endpoint_(endpoint),
      mechanism_(mechanism),
      profile_(profile),
      guard_(context.options.own_mailboxes) {
  scanner_.compare_with(as_sent(context_));
  begin();
}

/// A session of the history, not connected yet.
void RecordedPop3::begin() {
  recorder_.reset();
  const auto session = context_.new_session(device_, endpoint_.protocol, account_, audit_round_, endpoint_);
  client_ = std::make_unique<session::Pop3Client>(
      context_.client_config(endpoint_, account_, session, mechanism_, profile_), *this);
  recorder_.emplace(context_, *client_, session, endpoint_, "INBOX");  // a maildrop is that, RFC 1939 knows no other
}

void RecordedPop3::open(Then then) {
  const LoginPace& pace = context_.pop3_logins[account_];
  if (pace.last && context_.network.now() < *pace.last + pace.enforced)
    return wait_until(*pace.last + pace.enforced, [this, then = std::move(then)] { connect(then); });
  connect(std::move(then));
}

void RecordedPop3::connect(Then then) {
  recorder_->open([this, then = std::move(then)](const Completion& result) {
    if (result.ok()) context_.pop3_logins[account_].last = context_.network.now();
    const auto at = result.ok() || again_ ? std::nullopt : again_at();
    if (!at) return then(result);
    again_ = true;
    wait_until(*at, [this, then] {
      begin();
      connect(then);
    });
  });
}

void RecordedPop3::wait_until(Time at, Finish then) {
  waited_ += at - context_.network.now();
  alarm_ = std::move(then);
  context_.network.set_alarm(*this, at);
}

void RecordedPop3::ring(Time) {
  if (const auto then = std::exchange(alarm_, {})) then();
}

/// When the login that was just refused may be tried again, if it was refused for coming too soon. The delay counts
/// from the last login that was let in, which may be another scenario's. A server may refuse without saying why.
std::optional<Time> RecordedPop3::again_at() {
  constexpr Duration kLongest = std::chrono::minutes(1);
  const auto announced = announced_login_delay(client_->capabilities());
  if (!end().login_refused || end().broken || !announced) return std::nullopt;
  LoginPace& pace = context_.pop3_logins[account_];
  const Time now = context_.network.now();
  const std::string said = upper(end().seen);
  const bool too_soon = said.find("[LOGIN-DELAY]") != std::string::npos;
  const bool may_be = said.find("-ERR [") == std::string::npos && pace.last && now < *pace.last + *announced;
  if (!too_soon && !may_be) return std::nullopt;
  auto e = event(Type::obs, What::observed);
  e.code = history::kTooSoon;
  e.text = fmt::format("the server wants {} between two POP3 logins of an account (LOGIN-DELAY, RFC 2449 section 6.5)",
                       format_duration(*announced - kSlack));
  if (*announced > context_.scaled(kLongest))
    too_long_ = e.text += fmt::format(", and refused one; no more than {} are waited (--patience)",
                                      format_duration(context_.scaled(kLongest)));
  recorder_->append(std::move(e));
  if (!too_long_.empty()) return std::nullopt;
  pace.enforced = *announced;
  return pace.last && now < *pace.last + *announced ? *pace.last + *announced : now + *announced;
}

/// `number` = of the message it is about, 0 = none.
template <class Issue>
void RecordedPop3::command(What what, std::uint32_t number, Then then, Issue&& issue) {
  auto invoke = event(Type::invoke, what);
  invoke.seq = number;
  if (what == What::dele) {
    invoke.message = entries_[number].message;
    invoke.text = entries_[number].uidl;
  }
  if (what == What::top) invoke.facts = history::TopFacts{};  // the header only
  recorder_->command(std::move(invoke), std::move(then), std::forward<Issue>(issue));
}

void RecordedPop3::stat(Then then) {
  command(What::stat, 0, std::move(then), [&] { return client_->stat(); });
}

void RecordedPop3::list(Then then) {
  command(What::pop_list, 0, std::move(then), [&] { return client_->list(); });
}

void RecordedPop3::uidl(Then then) {
  command(What::pop_uidl, 0, std::move(then), [&] { return client_->uidl(); });
}

void RecordedPop3::retr(const OwnedNumber& number, Then then) {
  command(What::retr, number.number(), std::move(then), [&] { return client_->retr(number.number()); });
}

void RecordedPop3::top(std::uint32_t number, Then then) {
  command(What::top, number, std::move(then), [&] { return client_->top(number, 0); });
}

void RecordedPop3::dele(const OwnedNumber& number, Then then) {
  command(What::dele, number.number(), std::move(then), [&] { return client_->dele(number.number()); });
}

void RecordedPop3::rset(Then then) {
  command(What::rset, 0, std::move(then), [&] { return client_->rset(); });
}

void RecordedPop3::quit(Then then) {
  leaving_ = true;
  command(What::quit, 0, std::move(then), [&] { return client_->quit(); });
}

std::vector<std::uint32_t> RecordedPop3::numbers() const {
  std::vector<std::uint32_t> out;
  for (const auto& entry : entries_) out.push_back(entry.first);
  return out;
}

std::uint32_t RecordedPop3::message(std::uint32_t number) const {
  const auto entry = entries_.find(number);
  return entry == entries_.end() ? 0 : entry->second.message;
}

void RecordedPop3::look_at(std::vector<std::uint32_t> numbers, Finish then) {
  std::erase_if(numbers, [this](std::uint32_t number) { return looked_at(number); });
  if (!client_->has("TOP")) numbers.clear();
  const std::size_t count = numbers.size();
  one_by_one(
      count,
      [this, numbers = std::move(numbers)](std::size_t i, Finish next) {
        if (over()) return next();
        top(numbers[i], [next = std::move(next)](const Completion&) { next(); });
      },
      std::move(then));
}

void RecordedPop3::enumerated() {
  auto e = event(Type::obs, What::enumerated);
  e.facts = history::CountFacts{messages_};
  e.code = "pop3";
  recorder_->append(std::move(e));
}

void RecordedPop3::on_done(const session::Pop3Completion& done, Time) {
  const auto pending = recorder_->take(done.id);
  if (!pending) return;
  auto e = recorder_->done(*pending, done.outcome, done.code, done.text);
  e.seq = done.argument;
  if (const auto entry = entries_.find(done.argument); done.argument != 0 && entry != entries_.end())
    e.message = entry->second.message;
  if (done.outcome == session::Outcome::ok) {
    switch (pending->what) {
      case What::stat:
        e.facts = history::CountFacts{messages_};
        e.size = octets_;
        break;
      case What::retr:
        e.size = content_octets_;
        break;
      case What::top:
        e.size = content_octets_;
        e.facts = history::TopFacts{0, scanner_.body_lines()};
        e.hash = scanner_.header_hash();
        break;
      default:
        break;
    }
  }
  recorder_->append(std::move(e));
  const Completion result{done.outcome, "", std::string(done.code), std::string(done.text)};
  if (!pending->then) return;
  if (client_->ready()) return pending->then(result);
  // The session's end is told to its commands first: who goes on from here must know of it.
  context_.later.post([then = pending->then, result] { then(result); });
}

/// RFC 2449 section 6.7: the days that a message is kept at least, of this user where CAPA was asked after login.
void RecordedPop3::on_ready(Time) {
  const auto announced = announced_download();
  recorder_->ready("", !announced                            ? std::string_view()
                       : *announced == Pop3Download::removes ? history::kExpiresAtOnce
                                                             : history::kRetains);
}

std::optional<Pop3Download> RecordedPop3::announced_download() const {
  return session::announced_download(client_->capabilities());
}

void RecordedPop3::on_stat(std::uint32_t messages, std::uint64_t octets, Time) {
  messages_ = messages;
  octets_ = octets;
}

void RecordedPop3::on_list(std::uint32_t number, std::uint64_t octets, Time) {
  entries_[number].octets = octets;
  auto e = event(Type::obs, What::pop_list);
  e.seq = number;
  e.size = octets;
  recorder_->append(std::move(e));
}

void RecordedPop3::on_uidl(std::uint32_t number, std::string_view id, Time) {
  entries_[number].uidl = id;
  context_.keeps(this->number(), 3 * id.size());  // here, and twice in the ledger
  auto e = event(Type::obs, What::pop_uidl);
  e.seq = number;
  e.text = id;
  recorder_->append(std::move(e));
}

void RecordedPop3::on_content_begin(std::uint32_t, bool, Time) { scanner_.begin(); }
void RecordedPop3::on_content(std::string_view chunk) { scanner_.add(chunk); }

void RecordedPop3::on_content_end(std::uint64_t octets, Time) {
  scanner_.end();
  content_octets_ = octets;
  // The command that brought it is the oldest one still open: replies come in order (RFC 1939 section 3, RFC 2449
  // section 6.6).
  for (const auto& [id, pending] : recorder_->pending()) {
    if (pending.what != What::retr && pending.what != What::top) continue;
    Entry& entry = entries_[pending.seq];
    auto e = event(Type::obs, What::message);
    e.command = pending.event;
    e.seq = pending.seq;
    e.text = entry.uidl;
    describe_content(context_, scanner_, pending.what == What::retr, e);
    entry.message = e.message;
    guard_.saw(pending.seq, identify(context_.messages, scanner_));
    if (pending.what == What::retr && scanner_.token() == nullptr) record_reports(context_, scanner_, e);
    recorder_->append(std::move(e));
    return;
  }
}

void RecordedPop3::on_ended(const session::Ended& ended, Time) { recorder_->ended(ended); }

}  // namespace mailproof::play
