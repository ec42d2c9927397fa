#include "play/devices/others.h"

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "history/flags.h"

namespace mailproof::play {
namespace {

using history::Event;
using history::Type;
using history::What;

/// What a server answers it tells all that it has to tell (RFC 3501 section 5.2).
bool tells_all(What what) { return what == What::noop || what == What::select || what == What::examine; }

/// Deliveries that are under way. Whom one is for its answers tell.
class Delivering {
 public:
  void begins(const Event& e) { under_way_.emplace(e.session, e.index); }
  /// What was refused for one recipient at once leaves the others; what comes behind it in its session tells that it is
  /// over.
  void answered(const Event& e) {
    const bool others = e.flags.find("at-rcpt") != std::string::npos;
    if (e.session == 0)
      under_way_.erase({0, e.command});
    else
      under_way_.erase(under_way_.lower_bound({e.session, 0}), others ? under_way_.lower_bound({e.session, e.command})
                                                                      : under_way_.upper_bound({e.session, e.command}));
  }
  void ends(std::uint32_t session) {
    under_way_.erase(under_way_.lower_bound({session, 0}), under_way_.lower_bound({session + 1, 0}));
  }
  bool any() const { return !under_way_.empty(); }

 private:
  std::set<std::pair<std::uint32_t, std::uint32_t>> under_way_;  ///< session and invoke
};

}  // namespace

bool may_take(What what) {
  return what == What::store || what == What::expunge || what == What::move || what == What::close ||
         what == What::rename || what == What::remove || what == What::quit;
}

bool adds(What what) {
  return what == What::deliver || what == What::append || what == What::copy || what == What::move ||
         what == What::rename;
}

bool Others::changed_since_told(bool (*matters)(What)) const {
  const auto& events = history_.events();
  std::uint32_t changed = 0;
  for (auto e = events.rbegin(); e != events.rend(); ++e) {
    if (e->type != Type::ok || history_.account_of(*e) != account_) continue;
    if (e->session == session_ && tells_all(e->what)) return changed > e->command;
    if (changed == 0 && e->session != session_ && matters(e->what)) changed = e->index;
  }
  return false;
}

/// TOP counts, and the end of a session without QUIT: a server may mark what it showed when it likes. In acted_since()
/// they do not: TOP is no RETR, which a search may be held to, and without QUIT nothing goes (RFC 1939 section 6).
bool Others::changed_flags_since(std::size_t events) const {
  std::set<std::uint32_t> marks;  // POP3 sessions
  for (const Event& e : history_.events()) {
    if (e.session == 0 || !is_theirs(e)) continue;
    const bool pop = e.what == What::retr || e.what == What::top || e.what == What::dele;
    if (pop) marks.insert(e.session);
    if (e.index <= events) continue;
    const bool reads = e.what == What::fetch && history::sets_seen(history_.asked(e).text);
    const bool ends = (e.what == What::quit || e.what == What::end) && marks.contains(e.session);
    if (pop || ends || e.what == What::store || reads) return true;
  }
  return false;
}

bool Others::stored_before(std::size_t events, std::string_view mailbox, std::uint32_t uid,
                           const std::set<std::string>& flags) const {
  for (const Event& e : history_.events()) {
    if (e.index > events) break;
    if (e.what != What::store || e.type != Type::ok || e.command == 0 || !is_theirs(e) || !iequals(e.mailbox, mailbox))
      continue;
    const Event& asked = history_.asked(e);
    const auto uids = history::parse_uids(asked.set);
    if (!std::binary_search(uids.begin(), uids.end(), uid)) continue;
    const std::string named = " " + lower(asked.flags) + " ";
    if (std::any_of(flags.begin(), flags.end(),
                    [&](const std::string& flag) { return named.find(" " + flag + " ") != std::string::npos; }))
      return true;
  }
  return false;
}

bool Others::acted_since(std::size_t events, const scenario::SearchKeys& keys) const {
  std::set<std::uint32_t> open, cut;  // commands: not answered; of these what reads, and its session is over
  std::set<std::uint32_t> reads;      // POP3 sessions whose QUIT changes something
  Delivering delivering;
  for (const Event& e : history_.events()) {
    if (e.what == What::deliver) {
      if (e.type == Type::invoke) {
        delivering.begins(e);
        continue;
      }
      delivering.answered(e);
      if (e.account != account_ || e.type == Type::fail) continue;
      if (e.index > events) return true;
      if (e.type == Type::info) open.insert(e.command);
      continue;
    }
    if (e.what == What::end) delivering.ends(e.session);
    if (e.session == session_) {
      if (tells_all(e.what) && e.type == Type::ok && e.index <= events)
        cut.erase(cut.begin(), cut.lower_bound(e.command));
      continue;
    }
    if (!is_theirs(e)) continue;
    if (e.what == What::retr || e.what == What::dele) reads.insert(e.session);
    const Event& asked = history_.asked(e);
    const bool takes = e.what == What::store  ? keys.flags || history::has_deleted(asked.flags)
                       : e.what == What::quit ? reads.contains(e.session)
                                              : may_take(e.what) || adds(e.what);
    const bool looks = keys.seen && (e.what == What::retr || (e.what == What::fetch && history::sets_seen(asked.text)));
    if (!takes && !looks) continue;
    if (e.index > events) return true;
    if (e.type == Type::invoke) open.insert(e.index);
    if (e.type == Type::ok || e.type == Type::fail) open.erase(e.command);
    if (e.type == Type::info && looks && open.erase(e.command) != 0) cut.insert(e.index);
  }
  return !open.empty() || !cut.empty() || delivering.any();
}

}  // namespace mailproof::play
