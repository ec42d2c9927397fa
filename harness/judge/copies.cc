#include "judge/copies.h"

#include <algorithm>

#include "core/bytes.h"

namespace mailproof::judge {

using history::Event;
using history::Type;
using history::What;

Sightings most_at_once(const Case& c) {
  Sightings out;
  // Session -> UID or number -> message. The first content seen there counts: what changes under a UID or number is the
  // affair of other judges.
  std::map<std::uint32_t, std::map<std::uint32_t, std::uint32_t>> sessions;
  for (const Event& e : c.history.events()) {
    if (e.session == 0) continue;
    auto& there = sessions[e.session];
    if ((e.what == What::select || e.what == What::examine) && e.type != Type::invoke) there.clear();
    if (e.what == What::expunged) there.erase(e.uid);
    if (e.what != What::message || e.message == 0) continue;
    const auto& session = c.history.session(e.session);
    const std::uint32_t where = session.protocol == Protocol::pop3 ? e.seq : e.uid;
    if (where == 0) continue;
    there.try_emplace(where, e.message);
    const auto copies = static_cast<int>(
        std::count_if(there.begin(), there.end(), [&](const auto& known) { return known.second == e.message; }));
    const bool inbox = e.mailbox.empty() || iequals(e.mailbox, "INBOX");
    Sighting& most = out[{e.message, session.account, inbox ? std::string("INBOX") : e.mailbox}];
    if (copies > most.copies) most = {copies, e.index};
  }
  return out;
}

}  // namespace mailproof::judge
