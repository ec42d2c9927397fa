// I5: (mailbox, UIDVALIDITY, UID) is one message for ever. I7: UIDs ascend with the sequence numbers. I8 to I10, of
// UIDNEXT and UIDVALIDITY, are in identity_numbers.cc.
#include <fmt/format.h>

#include <deque>
#include <vector>

#include "history/number_map.h"
#include "judge/boxes.h"
#include "judge/case.h"
#include "judge/identity_numbers.h"
#include "judge/judges.h"
#include "judge/leaving.h"
#include "judge/view_track.h"
#include "wire/mime/date.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Known {
  std::uint32_t content = 0, message = 0;  ///< event, and whose content it showed
  bool full = false;
  bool reused = false;  ///< another message was found there: what else it tells is that one's
  std::uint32_t size_event = 0, date_event = 0;
  std::uint64_t size = 0;
};

/// What an event tells of a UID, and where: the session's mailbox where it does not say.
struct Told {
  const Event& event;
  std::string_view mailbox;
  std::uint32_t uidvalidity = 0;
};

/// Another size or date under a UID. Whether it is another message one is told behind that, by its header.
struct Change {
  const Known* of;
  std::string_view finding_class;
  Case::Facts facts;
};

struct Identity {
  Case& c;
  Leaving leaving;
  Boxes boxes;
  history::NumberMap places;  ///< box and UID -> place in `known`, from 1
  std::deque<Known> known;
  std::vector<Change> changes;

  Known& known_of(const Told& told) {
    const std::uint64_t key =
        boxes.place(c.history.account_of(told.event), told.mailbox, told.uidvalidity, told.event.uid);
    if (const std::uint32_t place = places.get(key)) return known[place - 1];
    places.set(key, static_cast<std::uint32_t>(known.size() + 1));
    return known.emplace_back();
  }

  bool leaves(const Told& told) const {
    const Event& e = told.event;
    return leaving.at(e.index, c.history.account_of(e), told.mailbox, told.uidvalidity, e.uid);
  }
  bool shows_nothing(const Told& told) const {
    const Event& e = told.event;
    return leaving.nothing_at(e.index, c.history.account_of(e), told.mailbox, told.uidvalidity, e.uid);
  }

  std::string at(const Told& told) const {
    return fmt::format("UID {} of {} ({})", told.event.uid, told.mailbox, c.account(c.history.account_of(told.event)));
  }

  void content(Known& k, const Told& told) {
    const Event& e = told.event;
    const bool full = e.code == "full";
    if (e.size == 0 && shows_nothing(told)) return;
    // A whole header without our stamp is another message's, of which nothing more is fetched; of a recording nobody
    // knows whether it is whole. What somebody removes may be shown as anything (RFC 2180 section 4.1).
    const bool bare = e.message == 0 && !full && k.message != 0 && !c.history.info.recorded && !leaves(told);
    const bool differs =
        !c.may_be_one(e.message, k.message) && (k.message != 0 || (full && k.full)) && (e.message != 0 || full || bare);
    if (k.content != 0 && differs) {
      k.reused = true;
      c.find("uid-reused", {fmt::format("{} is {} for ever", at(told),
                                        k.message == 0 ? "the message first seen" : c.name_of(k.message)),
                            fmt::format("{} finds {} there at {}", c.who(e),
                                        e.message != 0 ? c.name_of(e.message)
                                        : bare ? fmt::format("a header of {} octets that is not its own", e.size)
                                               : std::string("something else"),
                                        c.when(e)),
                            {k.content, e.index},
                            e.message != 0 ? e.message : k.message,
                            ""});
    }
    if (k.content == 0 || e.message != 0) {
      k.content = e.index;
      k.message = e.message;
      k.full = full;
    }
  }

  void row(Known& k, const Told& told) {
    const Event& e = told.event;
    if (e.size != 0) {
      if (k.size_event != 0 && k.size != e.size)
        changes.push_back({&k,
                           "size-changed",
                           {fmt::format("{}: RFC822.SIZE {} as before", at(told), k.size),
                            fmt::format("{} is told {} at {}", c.who(e), e.size, c.when(e)),
                            {k.size_event, e.index},
                            k.message,
                            ""}});
      k.size = e.size;
      k.size_event = e.index;
    }
    if (e.text.empty() || (e.text.starts_with("00-") && shows_nothing(told))) return;
    if (k.date_event != 0 && !mime::same_internal_date(c.history.event(k.date_event).text, e.text))
      changes.push_back(
          {&k,
           "date-changed",
           {fmt::format("{}: INTERNALDATE \"{}\" as before", at(told), c.history.event(k.date_event).text),
            fmt::format("{} is told \"{}\" at {}", c.who(e), e.text, c.when(e)),
            {k.date_event, e.index},
            k.message,
            ""}});
    k.date_event = e.index;
  }

  /// A UID that was given to another message is told once: of course that one has another size and date.
  void tell_changes() {
    for (Change& change : changes)
      if (!change.of->reused) c.find(change.finding_class, std::move(change.facts));
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
  judge_mailbox_numbers(c);
  Identity identity{c, Leaving(c), {}, {}, {}, {}};
  ViewTrack track(history);
  for (const Event& e : history.where([](history::Kind kind) { return ViewTrack::follows(kind.what); })) {
    const bool imap = e.session != 0 && history.session(e.session).protocol == Protocol::imap;
    if (imap && (e.what == What::row || e.what == What::message) && e.uid != 0) {
      const View* view = track.view(e.session);
      Told told{e, e.mailbox, e.uidvalidity};
      if (told.mailbox.empty() && view != nullptr) told.mailbox = view->mailbox;
      if (told.uidvalidity == 0 && view != nullptr) told.uidvalidity = view->uidvalidity;
      if (told.uidvalidity == 0 && history.info.recorded) {  // which mailbox of that name it is nobody knows
        identity.order(track, e);
        track.apply(e);
        continue;
      }
      Known& k = identity.known_of(told);
      if (e.what == What::message) identity.content(k, told);
      if (e.what == What::row) identity.row(k, told);
      identity.order(track, e);
    }
    track.apply(e);
  }
  identity.tell_changes();
}

}  // namespace mailproof::judge
