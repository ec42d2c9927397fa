// I2: a message stays as it was sent, wherever and whenever it is read.
#include <fmt/format.h>

#include <set>

#include "judge/by_number.h"
#include "judge/case.h"
#include "judge/judges.h"
#include "judge/sizes.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::What;

/// "\r\n" behind the last octet that was sent, and nothing else.
bool only_ends_the_line(const Event& e, std::uint64_t sent) {
  return e.size == sent + 2 &&
         e.set == fmt::format("from octet {} on nothing more was sent, and \"\\r\\n\" came", sent);
}

/// Fields that a filter put below ours, where mail was delivered: no RFC forbids it to who delivers. What a client puts
/// into a mailbox itself is "the new message" (RFC 3501 section 6.3.11), and is that alone.
void fields_added(Case& c) {
  std::set<std::uint32_t> told;
  ByNumber<bool> delivered;
  for (const Event& e : c.history.about(What::deliver, What::message)) {
    if (e.what == What::deliver && e.message != 0) delivered[e.message] = true;
    if (e.what != What::message || e.message == 0 || e.code != "full" || !e.set.starts_with("with ")) continue;
    const auto& sent = c.history.message(e.message);
    if (e.hash != sent.hash || !told.insert(e.message).second) continue;
    c.find(delivered.contains(e.message) ? "fields-added" : "altered",
           {fmt::format("{} as sent: {} octets", sent.name(), sent.size),
            fmt::format("{} read by {} at {} has {} octets, and beside what was sent the header fields {}", sent.name(),
                        c.who(e), c.when(e), e.size, printable(std::string_view(e.set).substr(5), 400)),
            {e.index},
            e.message,
            ""});
  }
}

void altered(Case& c) {
  std::set<std::pair<std::uint32_t, std::uint64_t>> told;
  for (const Event& e : c.history.about(What::message)) {
    if (e.message == 0 || e.code != "full" || e.hash == 0) continue;
    const auto& sent = c.history.message(e.message);
    if (e.hash == sent.hash || !told.emplace(e.message, e.hash).second) continue;
    c.find(only_ends_the_line(e, sent.size) ? "line-end-added" : "altered",
           {fmt::format("{} as sent: {} octets", sent.name(), sent.size),
            fmt::format("{} read by {} at {} has {} octets and other content{}{}", sent.name(), c.who(e), c.when(e),
                        e.size, e.set.empty() ? "" : ": ", printable(e.set, 400)),
            {e.index},
            e.message,
            ""});
  }
}

/// NIL is right for a message that somebody removed meanwhile; not for one that a later complete listing has.
void withheld(Case& c) {
  std::map<std::uint32_t, std::uint32_t> uidvalidity;
  for (const Event& e : c.history.about(What::select, What::examine, What::nil)) {
    if ((e.what == What::select || e.what == What::examine) && e.type == history::Type::ok)
      uidvalidity[e.session] = e.uidvalidity;
    if (e.what != What::nil || e.uid == 0) continue;
    const std::uint32_t account = c.history.account_of(e);
    const std::uint32_t message = c.ledger.message_at(account, e.mailbox, uidvalidity[e.session], e.uid);
    const auto* cell = message == 0 ? nullptr : c.ledger.find(message, account, e.mailbox);
    if (cell == nullptr || !cell->enumerated || cell->present == 0 || cell->removes + cell->maybe_removes > 0) continue;
    c.find("nil", {fmt::format("the content of {}: nobody removed it", c.name_of(message)),
                   fmt::format("{} asked for UID {} at {} and got NIL; the audit finds the message in {}", c.who(e),
                               e.uid, c.when(e), e.mailbox),
                   {e.index, cell->last_seen},
                   message,
                   ""});
  }
}

/// Of other people's mail nobody knows how it was sent: but under one UID, or one unique-id, it stays what it was when
/// it was first read there.
void altered_in_place(Case& c) {
  std::map<std::string, std::uint32_t> first;
  for (const Event& e : c.history.about(What::message)) {
    if (e.code != "full" || e.message == 0 || (e.uid == 0 && e.text.empty())) continue;
    if (e.uid != 0 && e.uidvalidity == 0) continue;
    const std::uint32_t account = c.history.account_of(e);
    const auto place = e.uid != 0 ? fmt::format("{} {} {} {}", account, e.uidvalidity, e.uid, e.mailbox)
                                  : fmt::format("{} {}", account, e.text);
    const auto [at, fresh] = first.try_emplace(place, e.index);
    const Event& before = c.history.event(at->second);
    // Another message in this place is another finding.
    if (fresh || before.message != e.message || before.hash == e.hash) continue;
    c.find("altered", {fmt::format("{} as {} read it at {}: {} octets", c.name_of(e.message), c.who(before),
                                   c.when(before), before.size),
                       fmt::format("{} read by {} at {} in the same place has {} octets and other content",
                                   c.name_of(e.message), c.who(e), c.when(e), e.size),
                       {before.index, e.index},
                       e.message,
                       ""});
  }
}

}  // namespace

void judge_content(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "content", out);
  if (history.info.recorded) {
    altered_in_place(c);
  } else {
    altered(c);
    fields_added(c);
  }
  withheld(c);
  judge_sizes(c);
}

}  // namespace mailproof::judge
