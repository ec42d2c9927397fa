#include "judge/copies.h"

#include "core/bytes.h"
#include "judge/by_number.h"

namespace mailproof::judge {

using history::Event;
using history::Type;
using history::What;

namespace {

/// What was seen in a mailbox goes with it under its new name; what comes under the old one is another's (RFC 3501
/// section 6.3.5). INBOX stays, and so does what was seen there.
void rename(Sightings& sightings, std::uint32_t account, const Event& asked) {
  if (iequals(asked.mailbox, "INBOX")) return;
  Sightings renamed;
  for (auto at = sightings.begin(); at != sightings.end();) {
    const auto& [message, of, mailbox] = at->first;
    const bool below = mailbox.size() > asked.mailbox.size() && mailbox.starts_with(asked.mailbox) &&
                       (mailbox[asked.mailbox.size()] == '/' || mailbox[asked.mailbox.size()] == '.');
    if (of != account || (mailbox != asked.mailbox && !below)) {
      ++at;
      continue;
    }
    renamed[{message, of, asked.other_mailbox + mailbox.substr(asked.mailbox.size())}] = at->second;
    at = sightings.erase(at);
  }
  for (const auto& [where, most] : renamed)
    if (Sighting& known = sightings[where]; most.copies > known.copies) known = most;
}

}  // namespace

Sightings most_at_once(const Case& c) {
  Sightings out;
  // Session -> UID or number -> message. The first content seen there counts: what changes under a UID or number is the
  // affair of other judges.
  struct Session {
    ByNumber<std::uint32_t> there;
    ByNumber<int> copies;  // of each message that is there
  };
  std::map<std::uint32_t, Session> sessions;
  for (const Event& e : c.history.about(What::rename, What::select, What::examine, What::expunged, What::message)) {
    if (e.session == 0) continue;
    if (e.what == What::rename && e.type == Type::ok) rename(out, c.history.account_of(e), c.invoke(e));
    Session& known = sessions[e.session];
    if ((e.what == What::select || e.what == What::examine) && e.type != Type::invoke) known = {};
    if (e.what == What::expunged)
      if (const std::uint32_t* gone = known.there.find(e.uid)) {
        --known.copies[*gone];
        known.there.erase(e.uid);
      }
    if (e.what != What::message || e.message == 0) continue;
    const auto& session = c.history.session(e.session);
    const std::uint32_t where = session.protocol == Protocol::pop3 ? e.seq : e.uid;
    if (where == 0) continue;
    int& copies = known.copies[e.message];
    if (const auto [message, fresh] = known.there.place(where); fresh) {
      message = e.message;
      ++copies;
    }
    if (copies < 2) continue;  // nearly all of them: and it says no more than that the message is there
    const bool inbox = e.mailbox.empty() || iequals(e.mailbox, "INBOX");
    Sighting& most = out[{e.message, session.account, inbox ? std::string("INBOX") : e.mailbox}];
    if (copies > most.copies) most = {copies, e.index};
  }
  return out;
}

}  // namespace mailproof::judge
