#include "judge/view_track.h"

namespace mailproof::judge {

using history::Event;
using history::Type;
using history::What;

const View* ViewTrack::view(std::uint32_t session) const {
  const auto at = views_.find(session);
  return at == views_.end() ? nullptr : &at->second;
}

void ViewTrack::apply(const Event& e) {
  if (e.session == 0 || history_.session(e.session).protocol != Protocol::imap) return;
  switch (e.what) {
    case What::select:
    case What::examine: {
      View& v = views_[e.session];
      v = View{};
      if (e.type == Type::invoke) {
        v.selecting = true;
      } else if (e.type == Type::ok) {
        v.mailbox = history_.asked(e).mailbox;
        v.uidvalidity = e.uidvalidity;
        v.exists = e.get<history::SelectFacts>().exists;
        v.sure = v.exists <= kMostFollowed;
        if (v.sure) v.numbers.assign(v.exists);
      }
      break;
    }
    case What::unselect:
    case What::close:
      if (e.type != Type::invoke) views_.erase(e.session);
      break;
    case What::exists: {
      View& v = views_[e.session];
      if (v.selecting || !v.sure) break;
      // Only EXPUNGE says which message goes (RFC 3501 section 7.3.1): where EXISTS falls by itself nobody knows it.
      if (e.get<history::ExistsFacts>().now < v.exists) v.numbers.forget_uids();
      v.exists = e.get<history::ExistsFacts>().now;
      if (v.exists > kMostFollowed) {
        v.sure = false;
        break;
      }
      v.numbers.resize(v.exists);
      break;
    }
    case What::expunged: {
      View& v = views_[e.session];
      if (v.selecting || !v.sure) break;
      if (e.seq == 0 || e.seq > v.numbers.size()) {  // no message has that number: the others stay what they are
        v.sure = e.uid == 0;
        break;
      }
      v.numbers.erase(e.seq);
      --v.exists;
      break;
    }
    case What::row:
    case What::message:
    case What::nil: {
      View& v = views_[e.session];
      if (v.selecting || !v.sure || e.seq == 0 || e.seq > v.numbers.size()) break;
      v.numbers.tell(e.seq, e.uid);
      break;
    }
    default:
      break;
  }
}

}  // namespace mailproof::judge
