// RFC 3501 section 2.3.4: RFC822.SIZE is the number of octets that the server sends. Section 6.4.5: a piece is no
// longer than asked for.
#include "judge/sizes.h"

#include <fmt/format.h>

#include <string_view>

#include "history/number_map.h"
#include "judge/boxes.h"
#include "judge/leaving.h"
#include "judge/view_track.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::What;

struct Known {
  std::uint32_t size_event = 0, content_event = 0;
  std::uint64_t size = 0, octets = 0;
  bool said = false;
};

}  // namespace

void judge_sizes(Case& c) {
  history::PagedMap<Known> known;
  Boxes boxes;
  ViewTrack track(c.history);
  const Leaving leaving(c);
  const auto nothing_there = [&](const Event& e) {
    const View* view = track.view(e.session);
    return view != nullptr &&
           leaving.nothing_at(e.index, c.history.account_of(e), view->mailbox, view->uidvalidity, e.uid);
  };
  const auto concerned =
      c.history.where([](history::Kind kind) { return kind.what == What::piece || ViewTrack::follows(kind.what); });
  for (const Event& e : concerned) {
    if (e.what == What::piece && e.size > e.get<history::PieceFacts>().asked) {
      const auto& piece = e.get<history::PieceFacts>();
      c.find("piece-longer", {fmt::format("at most {} octets", piece.asked),
                              fmt::format("{} asked for {} octets of {} from {} on at {} and got {}", c.who(e),
                                          piece.asked, c.name_of(e.message), piece.from, c.when(e), e.size),
                              {e.index},
                              e.message,
                              ""});
    }
    const bool imap = e.session != 0 && c.history.session(e.session).protocol == Protocol::imap;
    const bool row = e.what == What::row && (e.size != 0 || (e.get<history::RowFacts>().empty && !nothing_there(e)));
    // Altered content has another size, and is a finding of its own.
    const bool whole = e.what == What::message && e.code == "full" &&
                       (c.history.info.recorded || (e.message != 0 && e.hash == c.history.message(e.message).hash));
    if (imap && e.uid != 0 && (row || whole) && (!c.history.info.recorded || e.uidvalidity != 0)) {
      const View* view = track.view(e.session);
      const std::string_view mailbox =
          e.mailbox.empty() && view != nullptr ? std::string_view(view->mailbox) : e.mailbox;
      const std::uint32_t validity = e.uidvalidity == 0 && view != nullptr ? view->uidvalidity : e.uidvalidity;
      Known& k = known[boxes.place(c.history.account_of(e), mailbox, validity, e.uid)];
      if (row) {
        k.said = k.said || (k.size_event != 0 && k.size != e.size);  // that it changes is another finding
        k.size_event = e.index;
        k.size = e.size;
      } else {
        k.content_event = e.index;
        k.octets = e.size;
      }
      if (!k.said && k.size_event != 0 && k.content_event != 0 && k.size != k.octets) {
        k.said = true;
        const Event& content = c.history.event(k.content_event);
        c.find("size-differs", {fmt::format("RFC822.SIZE {}: so many octets came with BODY[]", k.octets),
                                fmt::format("{} is told RFC822.SIZE {} of {}", c.who(c.history.event(k.size_event)),
                                            k.size, c.name_of(content.message)),
                                {k.size_event, k.content_event},
                                content.message,
                                ""});
      }
    }
    track.apply(e);
  }
}

}  // namespace mailproof::judge
