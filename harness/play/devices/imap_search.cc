// What a SEARCH is held to: what is looked for is found, and nothing else.
#include <fmt/format.h>

#include <algorithm>

#include "history/not_now.h"
#include "play/devices/imap_device.h"
#include "scenario/story/search_keys.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;

bool matters_to_search(What what) { return may_take(what) || adds(what) || what == What::fetch || what == What::retr; }

}  // namespace

void ImapDevice::search(const scenario::Search& what, const std::string& text, Finish done) {
  in_mailbox(box(what.mailbox), [this, &what, &text, done](bool ok) {
    const auto wanted = what.finds ? context_.messages.numbers(*what.finds) : std::vector<std::uint32_t>{};
    const auto expectation =
        expect(context_, What::found,
               {.text = text, .messages = wanted, .mailbox = what.mailbox, .session = session_number()});
    if (!ok) {
      outcome(context_, What::found, expectation, Type::info, {}, "the mailbox could not be opened", session_number());
      return done();
    }
    // What others changed since it was told last a server need not go by yet (RFC 2180 section 4.3, RFC 3501 section
    // 5.2).
    if (stale(matters_to_search))
      session_->noop([this, &what, wanted, expectation, done](const Completion&) {
        reader_->catch_up([this, &what, wanted, expectation, done](bool) { find(what, wanted, expectation, done); });
      });
    else
      find(what, wanted, expectation, done);
  });
}

void ImapDevice::find(const scenario::Search& what, std::vector<std::uint32_t> wanted, std::uint32_t expectation,
                      Finish done) {
  const std::size_t begun = context_.history.events().size();
  auto found = std::make_shared<imap::SequenceSet>();
  session_->hooks.search = [found](const imap::SequenceSet& uids) {
    for (const auto& [first, last] : uids.ranges()) found->add(first, last);
  };
  const auto keys = scenario::read_search_keys(what.keys);
  session_->search(what.keys, [this, keys, begun, wanted, expectation, found, done](const Completion& result) {
    session_->hooks.search = {};
    if (!result.ok() && session_->over()) {
      outcome(context_, What::found, expectation, Type::info, {}, ended_by_server(session_->end()), session_number());
      return done();
    }
    if (result.outcome == session::Outcome::fail) {
      // Nothing was found, and nothing was not found. What an extension asks for a server may refuse, and whatever it
      // cannot do now.
      const bool owed = keys.standard && !history::says_not_now(result.code);
      outcome(context_, What::found, expectation, owed ? Type::fail : Type::info, {},
              fmt::format("the server answered {} {}", result.status, result.text), session_number(), "refused");
      return done();
    }
    // What came in meanwhile is looked at first: what is not ours may match, too.
    reader_->catch_up([this, keys, begun, wanted, expectation, found, result, done](bool) {
      std::vector<std::uint32_t> wrong;
      found->normalise();
      for (const auto message : wanted) {
        const auto uids = reader_->uids_of({message});
        const bool hit = std::any_of(uids.begin(), uids.end(), [&](auto uid) { return found->covers(uid); });
        if (!hit) wrong.push_back(message);
      }
      std::uint64_t extra = found->count();
      for (const auto& [uid, item] : reader_->items()) {
        const bool expected = std::find(wanted.begin(), wanted.end(), item.message) != wanted.end();
        const bool not_ours = item.looked_at && item.message == 0;
        if ((expected || not_ours) && found->covers(uid)) --extra;
      }
      const bool good = result.ok() && wrong.empty() && extra == 0;
      const bool unclear = result.outcome == session::Outcome::info || (!good && others().acted_since(begun, keys));
      outcome(context_, What::found, expectation,
              unclear ? Type::info
              : good  ? Type::ok
                      : Type::fail,
              wrong,
              fmt::format("{} not found, {} found beyond{}", wrong.size(), extra,
                          unclear && result.ok() ? ", while others changed what is in the mailbox" : ""),
              session_number());
      done();
    });
  });
}

}  // namespace mailproof::play
