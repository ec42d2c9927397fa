#include "play/recorded/pop3.h"

#include "play/recorded/content.h"
#include "play/recorded/outcome.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

const char* const kGone = "the connection was gone before";

}  // namespace

Pop3Session::Pop3Session(Context& context, std::uint32_t device, std::uint32_t account, std::uint32_t audit_round,
                         const Endpoint& endpoint, const std::string& mechanism)
    : context_(context),
      number_(context.new_session(device, Protocol::pop3, account, audit_round, endpoint)),
      client_(std::make_unique<session::Pop3Client>(context.client_config(endpoint, account, mechanism), *this)),
      recorded_(std::make_unique<history::RecordedPeer>(*client_, *context.logs.at(number_ - 1))),
      endpoint_(endpoint),
      guard_(context.options.own_mailboxes) {}

Pop3Session::~Pop3Session() { link_.reset(); }

history::Event Pop3Session::event(Type type, What what) const {
  auto e = context_.event(type, what, number_);
  e.raw = context_.logs[number_ - 1]->here();
  e.mailbox = "INBOX";  // a maildrop is the INBOX, RFC 1939 knows no other
  return e;
}

void Pop3Session::open(Then then) {
  auto invoke = event(Type::invoke, What::connect);
  invoke.text = endpoint_.label();
  connect_event_ = context_.append(std::move(invoke));
  opened_ = std::move(then);
  link_ = context_.network.open(endpoint_, *recorded_);
}

template <class Issue>
void Pop3Session::command(history::Event invoke, Then then, Issue&& issue) {
  const What what = invoke.what;
  const std::uint32_t number = invoke.seq;
  const std::uint32_t index = context_.append(std::move(invoke));
  const session::CommandId id = ended_ ? 0 : issue();
  if (id != 0) {
    pending_[id] = {index, what, number, std::move(then)};
    return;
  }
  auto e = event(Type::fail, what);  // the session takes nothing more: it was never sent
  e.command = index;
  e.text = kGone;
  context_.append(std::move(e));
  context_.later.post([then = std::move(then)] { then({session::Outcome::fail, "", kGone}); });
}

void Pop3Session::stat(Then then) {
  command(event(Type::invoke, What::stat), std::move(then), [&] { return client_->stat(); });
}

void Pop3Session::list(Then then) {
  command(event(Type::invoke, What::pop_list), std::move(then), [&] { return client_->list(); });
}

void Pop3Session::uidl(Then then) {
  command(event(Type::invoke, What::pop_uidl), std::move(then), [&] { return client_->uidl(); });
}

void Pop3Session::retr(const OwnedNumber& number, Then then) {
  auto e = event(Type::invoke, What::retr);
  e.seq = number.number();
  command(std::move(e), std::move(then), [&] { return client_->retr(number.number()); });
}

void Pop3Session::top(std::uint32_t number, Then then) {
  auto e = event(Type::invoke, What::top);
  e.seq = number;
  command(std::move(e), std::move(then), [&] { return client_->top(number, 0); });
}

void Pop3Session::dele(const OwnedNumber& number, Then then) {
  auto e = event(Type::invoke, What::dele);
  e.seq = number.number();
  e.message = entries_[number.number()].message;
  e.text = entries_[number.number()].uidl;
  command(std::move(e), std::move(then), [&] { return client_->dele(number.number()); });
}

std::vector<std::uint32_t> Pop3Session::numbers() const {
  std::vector<std::uint32_t> out;
  for (const auto& entry : entries_) out.push_back(entry.first);
  return out;
}

std::uint32_t Pop3Session::message(std::uint32_t number) const {
  const auto entry = entries_.find(number);
  return entry == entries_.end() ? 0 : entry->second.message;
}

void Pop3Session::look_at(std::vector<std::uint32_t> numbers, Finish then) {
  std::erase_if(numbers, [this](std::uint32_t number) { return looked_at(number); });
  if (!client_->has("TOP")) numbers.clear();
  const std::size_t count = numbers.size();
  one_by_one(
      count,
      [this, numbers = std::move(numbers)](std::size_t i, Finish next) {
        if (over()) return next();
        top(numbers[i], [next = std::move(next)](const Result&) { next(); });
      },
      std::move(then));
}

void Pop3Session::rset(Then then) {
  command(event(Type::invoke, What::rset), std::move(then), [&] { return client_->rset(); });
}

void Pop3Session::quit(Then then) {
  leaving_ = true;
  command(event(Type::invoke, What::quit), std::move(then), [&] { return client_->quit(); });
}

void Pop3Session::drop(bool with_reset) {
  if (ended_ || !link_) return;
  auto e = event(Type::fault, What::end);
  e.text = "the device drops the connection without QUIT";
  context_.append(std::move(e));
  link_->drop(with_reset);
}

void Pop3Session::misbehave(const LinkFaults& faults) {
  if (link_ && !ended_) link_->misbehave(faults);
}

void Pop3Session::enumerated() {
  auto e = event(Type::obs, What::enumerated);
  e.seq = messages_;
  e.code = "pop3";
  context_.append(std::move(e));
}

void Pop3Session::on_ready(Time) {
  auto e = event(Type::ok, What::connect);
  e.command = connect_event_;
  context_.append(std::move(e));
  if (const Then then = std::exchange(opened_, {})) then({session::Outcome::ok, "", ""});
}

void Pop3Session::on_done(const session::Pop3Completion& done, Time) {
  const auto found = pending_.find(done.id);
  if (found == pending_.end()) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  auto e = event(type_of(done.outcome), pending.what);
  e.command = pending.event;
  e.seq = done.argument;
  e.code = done.code;
  e.text = done.text;
  if (const auto entry = entries_.find(done.argument); done.argument != 0 && entry != entries_.end())
    e.message = entry->second.message;
  if (done.outcome == session::Outcome::ok) {
    switch (pending.what) {
      case What::stat:
        e.seq = messages_;
        e.size = octets_;
        break;
      case What::retr:
        e.size = content_octets_;
        break;
      case What::top:
        e.size = content_octets_;
        e.uid = pending.event != 0 ? context_.history.event(pending.event).uid : 0;
        e.modseq = scanner_.body_lines();
        e.hash = e.uid == 0 ? scanner_.header_hash() : scanner_.hash();
        break;
      default:
        break;
    }
  }
  context_.append(std::move(e));
  const Result result{done.outcome, std::string(done.code), std::string(done.text)};
  if (pending.then) pending.then(result);
}

void Pop3Session::on_stat(std::uint32_t messages, std::uint64_t octets, Time) {
  messages_ = messages;
  octets_ = octets;
}

void Pop3Session::on_list(std::uint32_t number, std::uint64_t octets, Time) {
  entries_[number].octets = octets;
  auto e = event(Type::obs, What::pop_list);
  e.seq = number;
  e.size = octets;
  context_.append(std::move(e));
}

void Pop3Session::on_uidl(std::uint32_t number, std::string_view id, Time) {
  entries_[number].uidl = id;
  context_.keeps(number_, 3 * id.size());  // here, and twice in the ledger
  auto e = event(Type::obs, What::pop_uidl);
  e.seq = number;
  e.text = id;
  context_.append(std::move(e));
}

void Pop3Session::on_content_begin(std::uint32_t, bool, Time) { scanner_.begin(); }
void Pop3Session::on_content(std::string_view chunk) { scanner_.add(chunk); }

void Pop3Session::on_content_end(std::uint64_t octets, Time) {
  scanner_.end();
  content_octets_ = octets;
  // The command that brought it is the oldest one still open: replies come in order (RFC 1939 section 3, RFC 2449
  // section 6.6).
  for (const auto& [id, pending] : pending_) {
    if (pending.what != What::retr && pending.what != What::top) continue;
    Entry& entry = entries_[pending.number];
    auto e = event(Type::obs, What::message);
    e.command = pending.event;
    e.seq = pending.number;
    e.text = entry.uidl;
    describe_content(context_, scanner_, pending.what == What::retr, e);
    entry.message = e.message;
    guard_.saw(pending.number, identify(context_.messages, scanner_));
    if (pending.what == What::retr && !scanner_.token()) record_reports(context_, scanner_, e);
    context_.append(std::move(e));
    return;
  }
}

void Pop3Session::on_deviation(const session::Deviation& deviation, Time) {
  auto e = event(Type::obs, What::deviation);
  e.code = deviation.code;
  e.text = deviation.excerpt;
  context_.append(std::move(e));
}

void Pop3Session::on_ended(const session::Ended& ended, Time) {
  ended_ = true;
  end_ = ended;
  if (opened_) {
    auto e = event(Type::fail, What::connect);
    e.command = connect_event_;
    e.code = name(ended.reason);
    e.text = ended.message();
    context_.append(std::move(e));
  }
  auto e = event(Type::obs, What::end);
  e.code = name(ended.reason);
  e.text = ended.message();
  e.flags = ended.clean ? "clean" : ended.broken ? "broken" : ended.reason == EndReason::dropped ? "ours" : "";
  context_.append(std::move(e));
  if (const Then then = std::exchange(opened_, {}))
    then({session::Outcome::fail, std::string(name(ended.reason)), ended.message()});
  if (ended_hook) ended_hook(ended);
}

}  // namespace mailproof::play
