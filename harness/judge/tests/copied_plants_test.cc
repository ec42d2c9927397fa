// Flags that a copy has of another message, which was copied by the same command; and copies that may have what they
// have.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

using Meanwhile = std::function<void(Scene&, std::uint32_t hand)>;

/// Two messages, of which the first has `flags`, are copied or moved to another mailbox, where both have them.
void lent_to_both(Scene& s, What what, const std::string& flags, bool made = true, const Meanwhile& meanwhile = {},
                  const std::string& mailbox = "Projects") {
  const auto mail = s.accepted(2);
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.row(hand, 1, 1, flags);
  s.row(hand, 2, 2, "");
  if (made) s.ask(What::create, hand, [&](Event& e) { e.mailbox = mailbox; });
  s.move(what, hand, "1:2", mailbox, Type::ok, "5:6");
  if (meanwhile) meanwhile(s, hand);
  const std::uint32_t fresh = s.imap(s.laptop);
  s.select(fresh, mailbox, 2);
  s.row(fresh, 1, 5, flags);
  s.row(fresh, 2, 6, flags);
  s.audited(what == What::copy ? Scene::all(mail) : Scene::all({}));
  s.list_imap(s.alice, 2, {{mail[0], 5}, {mail[1], 6}}, mailbox);
}

const bool kCopied[] = {
    plant("flags/gained-in-copy", [](Scene& s) { lent_to_both(s, What::copy, "\\Flagged"); }),
    plant("flags/gained-in-copy", [](Scene& s) { lent_to_both(s, What::move, "\\Seen"); }),
    plant("flags/gained-in-copy",  // without a word of its UID
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.row(hand, 1, 1, "\\Answered");
            s.row(hand, 2, 2, "");
            s.ask(What::create, hand, [](Event& e) { e.mailbox = "Projects"; });
            s.move(What::copy, hand, "1:2", "Projects");
            const std::uint32_t fresh = s.imap(s.laptop);
            s.select(fresh, "Projects", 2);
            s.row(fresh, 2, 6, "\\Answered");
            s.audited(Scene::all(mail));
            s.list_imap(s.alice, 2, {{mail[0], 5}, {mail[1], 6}}, "Projects");
          }),
    silent("a flag of the neighbour's that somebody has set on the copy since",
           [](Scene& s) {
             lent_to_both(s, What::copy, "\\Flagged", true, [](Scene& at, std::uint32_t) {
               const std::uint32_t other = at.imap(at.pc);
               at.select(other, "Projects", 2);
               at.store(other, "6", "+FLAGS", "\\Flagged");
             });
           }),
    silent("a flag of the neighbour's in a mailbox that was there before: it may mark all that comes",
           [](Scene& s) { lent_to_both(s, What::copy, "\\Flagged", false); }),
    silent("... or by its name may be one that does",
           [](Scene& s) { lent_to_both(s, What::move, "\\Seen", true, {}, "Trash"); }),
    silent("a flag that the message has got meanwhile, whose copies may share it",
           [](Scene& s) {
             lent_to_both(s, What::copy, "\\Flagged", true,
                          [](Scene& at, std::uint32_t hand) { at.store(hand, "2", "+FLAGS", "\\Flagged"); });
           }),
    silent("\\Seen of what was answered since",
           [](Scene& s) {
             lent_to_both(s, What::copy, "\\Seen", true,
                          [](Scene& at, std::uint32_t hand) { at.store(hand, "2", "+FLAGS", "\\Answered"); });
           }),
};

}  // namespace
}  // namespace mailproof::judge
