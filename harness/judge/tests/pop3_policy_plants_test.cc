// What POP3 deletes and IMAP still shows: two views, and a policy that no RFC forbids (RFC 1939 section 6).
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

/// pc downloads all and deletes the first; the phone, which watches, is never told that it went.
std::vector<std::uint32_t> deletes_the_first(Scene& s, Type answer = Type::ok) {
  const auto mail = s.accepted(2);
  const std::uint32_t hand = s.watches(s.phone, mail);
  const std::uint32_t pop = s.downloads(mail);
  s.dele(pop, 1, mail[0]);
  s.ask(What::quit, pop, {}, answer);
  s.end(pop);
  s.answer(s.expect(What::lose, hand, "1"), Type::fail, "1");
  s.ask(What::noop, hand);
  s.agree({s.phone, s.pc});
  return mail;
}

void expects_removal(Scene& s) {
  s.fate("1", {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = s.pc, .copy_on = s.pc});
  s.expect(What::count, 0, "", [&](Event& e) {
    e.account = s.alice;
    e.facts = history::CountFacts{1};
  });
}

void declares(Scene& s, Pop3Delete policy) { s.history.info.pop3_delete = policy; }

/// INBOX and Trash over IMAP, then the maildrop: twice.
void audited_with_trash(Scene& s, const history::Story::Listing& inbox, const history::Story::Listing& trash) {
  for (const std::uint32_t round : {1U, 2U}) {
    s.audit_begin(round);
    s.list_imap(s.alice, round, inbox);
    s.list_imap(s.alice, round, trash, "Trash");
    s.list_pop(s.alice, round, inbox);
    s.audit_end(round);
    if (round == 1) s.settle();
  }
}

/// POP3 deletes one of two messages, and IMAP finds it in Trash.
void deleted_into_trash(Scene& s) {
  const auto mail = s.accepted(2);
  const std::uint32_t pop = s.downloads(mail);
  s.dele(pop, 1, mail[0]);
  s.ask(What::quit, pop);
  s.end(pop);
  expects_removal(s);
  audited_with_trash(s, {{mail[1], 2}}, {{mail[0], 1}});
}

/// A phone expunges one of two messages, and IMAP finds it in Trash: the server's doing, or the phone's own COPY.
void expunged_into_trash(Scene& s, bool copied) {
  const auto mail = s.accepted(2);
  const std::uint32_t hand = s.watches(s.phone, mail);
  if (copied) s.move(What::copy, hand, "1", "Trash", Type::ok, "1");
  s.store(hand, "1");
  s.expunge(hand);
  s.expunged(hand, 1, 1);
  const Fate fate = copied ? Fate::moved : Fate::removed_by_client;
  s.fate("1", {.fate = fate, .over = Protocol::imap, .by = s.phone});
  audited_with_trash(s, {{mail[1], 2}}, {{mail[0], 1}});
}

/// A small account that POP3 drains, and the next mail is refused as over quota.
void refused_after_draining(Scene& s, bool declared) {
  s.history.info.accounts[s.alice - 1].quota = 8192;
  if (declared) declares(s, Pop3Delete::keeps_for_imap);
  const auto mail = s.accepted(4);
  const std::uint32_t pop = s.downloads(mail);
  for (std::uint32_t number = 1; number <= 4; ++number) s.dele(pop, number, mail[number - 1]);
  s.ask(What::quit, pop);
  s.end(pop);
  s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 552, "5.2.2", "over quota");
  s.audited(Scene::all(mail), {});
}

const bool kViews[] = {
    plant("removal/kept-for-imap",
          [](Scene& s) {
            const auto mail = deletes_the_first(s);
            expects_removal(s);
            s.audited(Scene::all(mail), {{mail[1], 2}});
          }),
    plant("removal/kept-for-imap",  // nobody knows whether QUIT was carried out, and the maildrop says that it was
          [](Scene& s) {
            const auto mail = deletes_the_first(s, Type::info);
            s.audited(Scene::all(mail), {{mail[1], 2}});
          }),
    plant("removal/kept-for-imap", [](Scene& s) { refused_after_draining(s, false); }),
    plant("removal/moved-to-trash", deleted_into_trash),
    plant("removal/expunged-to-trash", [](Scene& s) { expunged_into_trash(s, false); }),
    silent("a device that copies to Trash and expunges has it moved", [](Scene& s) { expunged_into_trash(s, true); }),
    silent("what POP3 deletes stays for IMAP, as the target file says",
           [](Scene& s) {
             declares(s, Pop3Delete::keeps_for_imap);
             const auto mail = deletes_the_first(s);
             expects_removal(s);
             s.audited(Scene::all(mail), {{mail[1], 2}});
           }),
    silent("a full mailbox stays full where what POP3 deletes stays for IMAP",
           [](Scene& s) { refused_after_draining(s, true); }),
    silent("what POP3 deletes goes to Trash, as the target file says",
           [](Scene& s) {
             declares(s, Pop3Delete::to_trash);
             deleted_into_trash(s);
           }),
    silent("what IMAP removed as well is nowhere, whatever the target file says of POP3",
           [](Scene& s) {
             declares(s, Pop3Delete::keeps_for_imap);
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1, mail[0]);
             s.ask(What::quit, pop);
             s.end(pop);
             s.store(hand, "1");
             s.expunge(hand);
             s.audited({{mail[1], 2}});
           }),
    plant("removal/not-as-declared",  // it removes, the file says
          [](Scene& s) {
            declares(s, Pop3Delete::removes);
            const auto mail = deletes_the_first(s);
            s.audited(Scene::all(mail), {{mail[1], 2}});
          }),
    plant("removal/not-as-declared",  // it keeps, and IMAP lost it
          [](Scene& s) {
            declares(s, Pop3Delete::keeps_for_imap);
            const auto mail = deletes_the_first(s);
            s.audited({{mail[1], 2}});
          }),
    plant("removal/not-as-declared",  // to Trash, and it is in none
          [](Scene& s) {
            declares(s, Pop3Delete::to_trash);
            const auto mail = s.accepted(2);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 1, mail[0]);
            s.ask(What::quit, pop);
            s.end(pop);
            s.audited({{mail[1], 2}});
          }),
    // What is lost is the deletion: POP3 shows it as well, whatever the file says.
    plant("removal/quit-ok-but-there",
          [](Scene& s) {
            declares(s, Pop3Delete::keeps_for_imap);
            const auto mail = deletes_the_first(s);
            s.audited(Scene::all(mail));
          }),
    plant("duplicates/resurrected",  // gone from the maildrop at first, and back in it
          [](Scene& s) {
            const auto mail = deletes_the_first(s);
            s.both(1, Scene::all(mail), {{mail[1], 2}});
            s.settle();
            s.both(2, Scene::all(mail));
          }),
    plant("agreement/not-confirmed",  // seen once
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = s.downloads(mail);
            s.dele(pop, 1, mail[0]);
            s.ask(What::quit, pop);
            s.end(pop);
            s.both(1, Scene::all(mail), {{mail[1], 2}});
          }),
};

}  // namespace
}  // namespace mailproof::judge
