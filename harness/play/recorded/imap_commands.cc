// What a recorded IMAP session can be asked for, and how its invoke reads in the history.
#include <fmt/format.h>

#include <charconv>

#include "play/earlier.h"
#include "play/recorded/content.h"
#include "play/recorded/imap.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

/// A set as the protocol takes it, resolved for the record: "3:*" cannot be compared later, so it is kept as the UIDs
/// in view.
std::string resolved(const std::string& set, const session::ImapView& view) {
  if (set.find('*') == std::string::npos) return set;
  std::vector<std::uint32_t> uids;
  for (const auto uid : view.uids)
    if (uid != 0) uids.push_back(uid);
  return history::format_uids(uids);
}

/// N of "BODY.PEEK[]<0.N>" (RFC 3501 section 6.4.5); 0 = no such number is there.
std::uint32_t most_octets(std::string_view items) {
  constexpr std::string_view kFrom = "<0.";
  std::uint32_t octets = 0;
  if (const auto at = items.find(kFrom); at != std::string_view::npos)
    std::from_chars(items.data() + at + kFrom.size(), items.data() + items.size(), octets);
  return octets;
}

}  // namespace

template <class Issue>
void RecordedImap::command(history::Event invoke, Then then, Issue&& issue) {
  invoke.mailbox = invoke.mailbox.empty() ? view().mailbox : invoke.mailbox;
  recorder_.command(std::move(invoke), std::move(then), std::forward<Issue>(issue));
}

template <class Issue>
void RecordedImap::command(const OwnedUids& uids, history::Event invoke, Then then, Issue&& issue) {
  invoke.set = uids.set();
  const bool here = !uids.empty() && !selecting() && uids.of(view().mailbox, view().uidvalidity);
  command(std::move(invoke), std::move(then), [&] { return here ? issue() : session::CommandId{0}; });
}

void RecordedImap::select(const std::string& mailbox, bool examine, Then then) {
  auto e = event(Type::invoke, examine ? What::examine : What::select);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->select(mailbox, examine); });
}

void RecordedImap::select_qresync(const std::string& mailbox, std::uint32_t uidvalidity, std::uint64_t modseq,
                                  Then then) {
  auto e = event(Type::invoke, What::select);
  e.mailbox = mailbox;
  e.uidvalidity = uidvalidity;
  e.facts = history::SelectFacts{0, 0, modseq};
  command(std::move(e), std::move(then), [&] { return client_->select_qresync(mailbox, uidvalidity, modseq, ""); });
}

void RecordedImap::enable(const std::string& what, Then then) {
  auto e = event(Type::invoke, What::enable);
  e.text = what;
  command(std::move(e), std::move(then), [&] { return client_->enable(what); });
}

void RecordedImap::unselect(Then then) {
  command(event(Type::invoke, What::unselect), std::move(then), [&] { return client_->unselect(); });
}

void RecordedImap::noop(Then then) {
  command(event(Type::invoke, What::noop), std::move(then), [&] { return client_->noop(); });
}

void RecordedImap::idle(Then then) {
  command(event(Type::invoke, What::idle), std::move(then), [&] { return client_->idle(); });
}

void RecordedImap::fetch_items(const std::string& set, const std::string& items, Then then) {
  auto e = event(Type::invoke, What::fetch);
  e.set = resolved(set, view());
  e.text = items;
  command(std::move(e), std::move(then), [&] { return client_->uid_fetch(set, items); });
}

void RecordedImap::look(std::uint32_t from_uid, bool modseqs, Then then) {
  guard_.asking_from(from_uid);
  fetch_items(fmt::format("{}:*", from_uid),
              fmt::format("(UID FLAGS {}RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER])", modseqs ? "MODSEQ " : ""),
              std::move(then));
}

void RecordedImap::flags(Then then) { fetch_items("1:*", "(UID FLAGS)", std::move(then)); }

void RecordedImap::changed_since(std::uint64_t modseq, Then then) {
  fetch_items("1:*", fmt::format("(UID FLAGS) (CHANGEDSINCE {})", modseq), std::move(then));
}

void RecordedImap::fetch(const OwnedUids& uids, const std::string& items, Then then) {
  most_asked_ = most_octets(items);
  auto e = event(Type::invoke, What::fetch);
  e.text = items;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_fetch(uids.set(), items); });
}

void RecordedImap::fetch_in_pieces(const OwnedUids& one, std::uint32_t octets, Then then) {
  pieces_ = Pieces{octets, 0, 0, 0, false};
  next_piece(one, std::move(then));
}

void RecordedImap::next_piece(const OwnedUids& one, Then then) {
  const std::uint32_t from = pieces_->from;
  fetch(one, fmt::format("(UID BODY.PEEK[]<{}.{}>)", from, pieces_->octets),
        [this, one, from, then = std::move(then)](const Completion& result) {
          const bool moved_on = pieces_->from > from;  // a server that brings nothing is not asked for ever
          if (result.ok() && moved_on && !pieces_->over) return next_piece(one, then);
          pieces_.reset();
          then(result);
        });
}

void RecordedImap::store(const OwnedUids& uids, const std::string& action, const std::vector<std::string>& flags,
                         Then then) {
  auto e = event(Type::invoke, What::store);
  e.code = action;
  e.flags = join_flags(flags);
  e.has_flags = true;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_store(uids.set(), action, flags); });
}

void RecordedImap::copy(const OwnedUids& uids, const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::copy);
  e.other_mailbox = mailbox;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_copy(uids.set(), mailbox); });
}

void RecordedImap::move(const OwnedUids& uids, const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::move);
  e.other_mailbox = mailbox;
  command(uids, std::move(e), std::move(then), [&] { return client_->uid_move(uids.set(), mailbox); });
}

void RecordedImap::expunge(const OwnedUids& uids, Then then) {
  command(uids, event(Type::invoke, What::expunge), std::move(then), [&] { return client_->uid_expunge(uids.set()); });
}

void RecordedImap::expunge(const ExpungePermit& permit, Then then) {
  const bool here = !selecting() && permit.of(view().mailbox, view().uidvalidity);
  command(event(Type::invoke, What::expunge), std::move(then),
          [&] { return here ? client_->expunge() : session::CommandId{0}; });
}

void RecordedImap::append(const std::string& mailbox, std::uint32_t message, std::shared_ptr<const std::string> text,
                          Then then) {
  auto e = event(Type::invoke, What::append);
  e.mailbox = mailbox;
  e.message = message;
  e.size = text->size();
  command(std::move(e), std::move(then), [&] { return client_->append(mailbox, {}, std::move(text)); });
}

void RecordedImap::search(const std::string& query, Then then) {
  auto e = event(Type::invoke, What::search);
  e.text = query;
  found_.clear();
  command(std::move(e), std::move(then), [&] { return client_->uid_search(query); });
}

void RecordedImap::search_text(const std::string& set, const std::string& text, Found then) {
  const auto found = std::make_shared<imap::SequenceSet>();
  hooks.search = [found](const imap::SequenceSet& numbers) {
    for (const auto& [first, last] : numbers.ranges()) found->add(first, last);
  };
  search(fmt::format("UID {} TEXT {}", set, text), [this, found, then = std::move(then)](const Completion& result) {
    hooks.search = {};
    found->normalise();
    then(result.ok(), *found);
  });
}

/// A search key: the number of one of the newest few stands in the text. "" = nothing was played before.
static std::string any_of_those_played() {
  std::string out;
  for (const std::string& playing : newest_played(kPlayingsSought))
    out = out.empty() ? fmt::format("TEXT {}", playing) : fmt::format("OR TEXT {} {}", playing, out);
  return out;
}

/// Some servers find everything, whatever is searched: one that finds a number that nobody ever wrote is not believed.
void RecordedImap::search_for_us(const std::vector<std::uint32_t>& uids,
                                 std::function<void(const imap::SequenceSet& found)> then) {
  const std::string set = history::format_uids(uids);
  search_text(set, context_.messages.no_playing(),
              [this, set, then = std::move(then)](bool answered, const imap::SequenceSet& anything) {
                if (!answered || !anything.empty()) return then({});
                search_text(
                    set, context_.messages.playing(), [this, set, then](bool ok, const imap::SequenceSet& ours) {
                      if (!ok) return then({});
                      // Its MTA may report only now what an earlier scenario of this run sent.
                      const std::string before = any_of_those_played();
                      if (before.empty()) return then(ours);
                      const auto both = std::make_shared<imap::SequenceSet>(ours);
                      hooks.search = [both](const imap::SequenceSet& numbers) {
                        for (const auto& [first, last] : numbers.ranges()) both->add(first, last);
                      };
                      search(fmt::format("UID {} {}", set, before), [this, ours, both, then](const Completion& result) {
                        hooks.search = {};
                        both->normalise();
                        then(result.ok() ? *both : ours);
                      });
                    });
              });
}

void RecordedImap::create(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::create);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->create(mailbox); });
}

void RecordedImap::remove(const OwnedMailbox& mailbox, Then then) {
  auto e = event(Type::invoke, What::remove);
  e.mailbox = mailbox.name();
  command(std::move(e), std::move(then), [&] { return client_->remove(mailbox.name()); });
}

void RecordedImap::rename(const OwnedMailbox& from, const std::string& to, Then then) {
  auto e = event(Type::invoke, What::rename);
  e.mailbox = from.name();
  e.other_mailbox = to;
  command(std::move(e), std::move(then), [&] { return client_->rename(from.name(), to); });
}

void RecordedImap::subscribe(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::subscribe);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->subscribe(mailbox); });
}

void RecordedImap::unsubscribe(const OwnedMailbox& mailbox, Then then) {
  auto e = event(Type::invoke, What::subscribe);
  e.mailbox = mailbox.name();
  e.text = "no longer";
  command(std::move(e), std::move(then), [&] { return client_->unsubscribe(mailbox.name()); });
}

void RecordedImap::list(Then then) {
  command(event(Type::invoke, What::list), std::move(then), [&] { return client_->list("", "*"); });
}

void RecordedImap::lsub(Then then) {
  auto e = event(Type::invoke, What::list);
  e.text = "subscribed";
  command(std::move(e), std::move(then), [&] { return client_->lsub("", "*"); });
}

void RecordedImap::status(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::status);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->status(mailbox, "(MESSAGES UIDNEXT UIDVALIDITY)"); });
}

void RecordedImap::quota(const std::string& mailbox, Then then) {
  auto e = event(Type::invoke, What::get_quota);
  e.mailbox = mailbox;
  command(std::move(e), std::move(then), [&] { return client_->get_quota_root(mailbox); });
}

void RecordedImap::logout(Then then) {
  leaving_ = true;
  command(event(Type::invoke, What::logout), std::move(then), [&] { return client_->logout(); });
}

}  // namespace mailproof::play
