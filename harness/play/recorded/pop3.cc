#include "play/recorded/pop3.h"

#include "core/bytes.h"
#include "history/announced.h"
#include "play/recorded/content.h"
#include "session/pop3/expire.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

}  // namespace

RecordedPop3::RecordedPop3(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
                           const Endpoint& endpoint, const std::string& mechanism, const scenario::Profile* profile)
    : context_(context),
      session_(context.new_session(device, endpoint.protocol, account, audit_round, endpoint)),
      client_(std::make_unique<session::Pop3Client>(
          context.client_config(endpoint, account, session_, mechanism, profile), *this)),
      guard_(context.options.own_mailboxes),
      // A maildrop is the INBOX, RFC 1939 knows no other.
      recorder_(context, *client_, session_, endpoint, "INBOX") {
  scanner_.compare_with(as_sent(context_));
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
  recorder_.command(std::move(invoke), std::move(then), std::forward<Issue>(issue));
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
  recorder_.append(std::move(e));
}

void RecordedPop3::on_done(const session::Pop3Completion& done, Time) {
  const auto pending = recorder_.take(done.id);
  if (!pending) return;
  auto e = recorder_.done(*pending, done.outcome, done.code, done.text);
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
  recorder_.append(std::move(e));
  const Completion result{done.outcome, "", std::string(done.code), std::string(done.text)};
  if (!pending->then) return;
  if (client_->ready()) return pending->then(result);
  // The session's end is told to its commands first: who goes on from here must know of it.
  context_.later.post([then = pending->then, result] { then(result); });
}

/// RFC 2449 section 6.7: the days that a message is kept at least, of this user where CAPA was asked after login.
void RecordedPop3::on_ready(Time) {
  const auto announced = announced_download();
  recorder_.ready("", !announced                            ? std::string_view()
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
  recorder_.append(std::move(e));
}

void RecordedPop3::on_uidl(std::uint32_t number, std::string_view id, Time) {
  entries_[number].uidl = id;
  context_.keeps(this->number(), 3 * id.size());  // here, and twice in the ledger
  auto e = event(Type::obs, What::pop_uidl);
  e.seq = number;
  e.text = id;
  recorder_.append(std::move(e));
}

void RecordedPop3::on_content_begin(std::uint32_t, bool, Time) { scanner_.begin(); }
void RecordedPop3::on_content(std::string_view chunk) { scanner_.add(chunk); }

void RecordedPop3::on_content_end(std::uint64_t octets, Time) {
  scanner_.end();
  content_octets_ = octets;
  // The command that brought it is the oldest one still open: replies come in order (RFC 1939 section 3, RFC 2449
  // section 6.6).
  for (const auto& [id, pending] : recorder_.pending()) {
    if (pending.what != What::retr && pending.what != What::top) continue;
    Entry& entry = entries_[pending.seq];
    auto e = event(Type::obs, What::message);
    e.command = pending.event;
    e.seq = pending.seq;
    e.text = entry.uidl;
    describe_content(context_, scanner_, pending.what == What::retr, e);
    entry.message = e.message;
    guard_.saw(pending.seq, identify(context_.messages, scanner_));
    if (pending.what == What::retr && !scanner_.token()) record_reports(context_, scanner_, e);
    recorder_.append(std::move(e));
    return;
  }
}

void RecordedPop3::on_ended(const session::Ended& ended, Time) {
  recorder_.ended(ended);
  if (ended_hook) ended_hook(ended);
}

}  // namespace mailproof::play
