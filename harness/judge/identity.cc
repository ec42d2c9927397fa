// I5: (mailbox, UIDVALIDITY, UID) is one message for ever. I7: UIDs ascend with the sequence numbers.
#include <fmt/format.h>

#include <map>
#include <tuple>

#include "judge/case.h"
#include "judge/judges.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Known {
  std::uint32_t content = 0, message = 0;  ///< event, and whose content it showed
  bool full = false;
  std::uint32_t size_event = 0, date_event = 0;
  std::uint64_t size = 0;
  std::string date;
};

using Key = std::tuple<std::uint32_t, std::string, std::uint32_t, std::uint32_t>;

struct Identity {
  Case& c;
  std::map<Key, Known> known;

  std::string at(const Event& e) const {
    return fmt::format("UID {} of {} ({})", e.uid, e.mailbox, c.account(c.history.account_of(e)));
  }

  void content(Known& k, const Event& e) {
    const bool full = e.code == "full";
    const bool differs = e.message != k.message && (k.message != 0 || (full && k.full)) && (e.message != 0 || full);
    if (k.content != 0 && differs)
      c.find("uid-reused",
             {fmt::format("{} is {} for ever", at(e), k.message == 0 ? "the message first seen" : c.name_of(k.message)),
              fmt::format("{} finds {} there at {}", c.who(e),
                          e.message == 0 ? std::string("something else") : c.name_of(e.message), c.when(e)),
              {k.content, e.index},
              e.message != 0 ? e.message : k.message,
              ""});
    if (k.content == 0 || e.message != 0) {
      k.content = e.index;
      k.message = e.message;
      k.full = full;
    }
  }

  void row(Known& k, const Event& e) {
    if (e.size != 0) {
      if (k.size_event != 0 && k.size != e.size)
        c.find("size-changed", {fmt::format("{}: RFC822.SIZE {} as before", at(e), k.size),
                                fmt::format("{} is told {} at {}", c.who(e), e.size, c.when(e)),
                                {k.size_event, e.index},
                                k.message,
                                ""});
      k.size = e.size;
      k.size_event = e.index;
    }
    if (!e.text.empty()) {
      if (k.date_event != 0 && k.date != e.text)
        c.find("date-changed", {fmt::format("{}: INTERNALDATE \"{}\" as before", at(e), k.date),
                                fmt::format("{} is told \"{}\" at {}", c.who(e), e.text, c.when(e)),
                                {k.date_event, e.index},
                                k.message,
                                ""});
      k.date = e.text;
      k.date_event = e.index;
    }
  }

  /// One session's numbers: a UID belongs to its number until an EXPUNGE moves it.
  void order(const ViewTrack& track, const Event& e) {
    const View* view = track.view(e.session);
    if (view == nullptr || !view->sure || e.seq == 0 || e.seq > view->numbers.size() || e.uid == 0) return;
    const std::uint32_t before = view->numbers.uid(e.seq);
    if (before != 0 && before != e.uid) {
      c.find("uid-changed", {fmt::format("message {} of {} keeps UID {} in this session", e.seq, view->mailbox, before),
                             fmt::format("{} is told UID {} at {}", c.who(e), e.uid, c.when(e)),
                             {e.index},
                             0,
                             ""});
      return;
    }
    const std::size_t other = view->numbers.out_of_order(e.seq, e.uid);
    if (other == 0) return;
    c.find("uid-order", {fmt::format("UIDs of {} ascend with the message numbers", view->mailbox),
                         fmt::format("{} is told that number {} has UID {} and number {} has UID {}", c.who(e), other,
                                     view->numbers.uid(other), e.seq, e.uid),
                         {e.index},
                         0,
                         ""});
  }
};

}  // namespace

void judge_identity(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "identity", out);
  Identity identity{c, {}};
  ViewTrack track(history);
  for (const Event& e : history.events()) {
    const bool imap = e.session != 0 && history.session(e.session).protocol == Protocol::imap;
    if (imap && (e.what == What::row || e.what == What::message) && e.uid != 0) {
      const View* view = track.view(e.session);
      Event full = e;
      if (full.mailbox.empty() && view != nullptr) full.mailbox = view->mailbox;
      if (full.uidvalidity == 0 && view != nullptr) full.uidvalidity = view->uidvalidity;
      Known& k = identity.known[{history.account_of(e), full.mailbox, full.uidvalidity, full.uid}];
      if (e.what == What::message) identity.content(k, full);
      if (e.what == What::row) identity.row(k, full);
      identity.order(track, full);
    }
    track.apply(e);
  }
}

}  // namespace mailproof::judge
