// Whom fresh rules accused, and who is right: flags that POP3 sets when it ends, names that change, labels, sessions
// that marked what they ask for.
#include "judge/tests/plant.h"

namespace mailproof::judge::acquitted {
namespace {

void about(Scene& s, What what, std::uint32_t session, const std::string& mailbox, const std::string& other = "") {
  s.ask(what, session, [&](Event& e) {
    e.mailbox = mailbox;
    e.other_mailbox = other;
  });
}

/// The phone sets a flag, which the laptop is told, takes it away, and is told that it is there.
void comes_back(Scene& s, const std::string& flag, const std::string& before,
                const std::function<void(Scene&)>& reads = {}, const std::function<void(Scene&)>& ends = {}) {
  const auto mail = s.accepted(1);
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.row(hand, 1, 1, before);
  s.store(hand, "1", "+FLAGS.SILENT", flag);
  const std::uint32_t other = s.watches(s.laptop, mail);
  s.row(other, 1, 1, flag);
  s.end(other);
  if (reads) reads(s);
  s.store(hand, "1", "-FLAGS.SILENT", flag);
  if (ends) ends(s);
  s.end(hand);
  const std::uint32_t next = s.watches(s.phone, mail);
  s.row(next, 1, 1, flag);
  s.end(next);
  s.audited(Scene::all(mail));
}

const bool kFlags[] = {
    plant("flags/came-back", [](Scene& s) { comes_back(s, "\\Seen", ""); }),
    plant("flags/session-only",  // the message had it: STORE proves nothing of its lasting (RFC 3501 section 2.3.2)
          [](Scene& s) { comes_back(s, "\\Flagged", "\\Flagged"); }),
    silent("what RETR read is seen in the UPDATE state (RFC 1939 section 6)",
           [](Scene& s) {
             std::uint32_t pop = 0;
             comes_back(
                 s, "\\Seen", "", [&](Scene& scene) { pop = scene.downloads({1}); },
                 [&](Scene& scene) {
                   scene.ask(What::quit, pop);
                   scene.end(pop);
                 });
           }),
    plant("flags/came-back",  // ... not when QUIT was answered before
          [](Scene& s) {
            comes_back(s, "\\Seen", "", [](Scene& scene) {
              const std::uint32_t pop = scene.downloads({1});
              scene.ask(What::quit, pop);
              scene.end(pop);
            });
          }),
    silent(
        "what RETR read is seen when the server finds that the session is over",
        [](Scene& s) { comes_back(s, "\\Seen", "", [](Scene& scene) { scene.end(scene.downloads({1}), "ours"); }); }),
    silent("a flag comes back where another copy's STORE was never answered: labels share flags",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.imap(s.laptop);
             s.move(What::copy, hand, "1", "Work", Type::ok, "3", 3);
             s.select(other, "Work", 1, 3);
             s.content(other, mail[0], 1, 3, "full", "Work", 3);
             s.row(hand, 1, 1, "");
             s.store(hand, "1", "+FLAGS.SILENT", "\\Flagged");
             s.row(other, 1, 3, "\\Flagged");
             s.store(other, "3", "+FLAGS.SILENT", "\\Flagged", Type::info);
             s.end(other);
             s.store(hand, "1", "-FLAGS.SILENT", "\\Flagged");
             s.end(hand);
             const std::uint32_t next = s.watches(s.laptop, mail);
             s.row(next, 1, 1, "\\Flagged");
             s.end(next);
             for (const std::uint32_t round : {1U, 2U}) {
               s.audit_begin(round);
               s.list_imap(s.alice, round, {{mail[0], 1}});
               s.list_imap(s.alice, round, {{mail[0], 3}}, "Work", 3);
               s.list_pop(s.alice, round, {{mail[0], 1}});
               s.audit_end(round);
               if (round == 1) s.settle();
             }
           }),
    silent("a flag comes back where a mailbox has got another name: it may have been set under the old one",
           [](Scene& s) {
             comes_back(s, "\\Flagged", "", [](Scene& scene) {
               const std::uint32_t other = scene.imap(scene.laptop);
               about(scene, What::rename, other, "Projects", "Plans");
               scene.end(other);
             });
           }),
};

/// RETR is -ERR in two sessions, each of which has marked the message, or not.
void refused_twice(Scene& s, bool marks) {
  const auto mail = s.accepted(1);
  for (int i = 0; i < 2; ++i) {
    const std::uint32_t pop = s.pop3(s.pc);
    header_by_top(s, pop, mail[0]);
    if (marks) s.dele(pop, 1, mail[0]);
    s.ask(
        What::retr, pop, [](Event& e) { e.seq = 1; }, Type::fail, [](Event& e) { e.text = "-ERR no"; });
    if (marks) s.ask(What::rset, pop);
    s.ask(What::quit, pop);
    s.end(pop);
  }
  audited_by_top(s, mail[0]);
}

const bool kRetr[] = {
    plant("content/not-given", [](Scene& s) { refused_twice(s, false); }),
    silent("RETR of what the session has marked (RFC 1939 section 5)", [](Scene& s) { refused_twice(s, true); }),
};

void listed(Scene& s, std::uint32_t session, const std::vector<std::string>& names) {
  const std::uint32_t list = s.invoke(What::list, session);
  for (const std::string& name : names) s.obs(What::mailbox, session, [&](Event& e) { e.mailbox = name; });
  s.done(list, Type::ok);
}

const bool kNames[] = {
    silent("a tree is renamed while another client deletes what is in it",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone), other = s.imap(s.laptop);
             for (const char* name : {"Projects", "Projects/Spring"}) about(s, What::create, hand, name);
             const std::uint32_t rename = s.invoke(What::rename, hand, [](Event& e) {
               e.mailbox = "Projects";
               e.other_mailbox = "Plans";
             });
             about(s, What::remove, other, "Projects/Spring");
             s.done(rename, Type::ok);
             listed(s, hand, {"INBOX", "Plans"});
             s.audited({});
           }),
    silent("RENAME of INBOX leaves what is below it (RFC 3501 section 6.3.5)",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             about(s, What::create, hand, "INBOX/Sub");
             about(s, What::rename, hand, "INBOX", "Old");
             listed(s, hand, {"INBOX", "INBOX/Sub", "Old"});
             s.audited({});
           }),
    silent("COPY names the copy that a server of labels had made by itself",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.ask(
                 What::select, s.imap(s.laptop), [](Event& e) { e.mailbox = "Archive"; }, Type::ok,
                 [](Event& e) {
                   e.mailbox = "Archive";
                   e.uidvalidity = 9;
                   e.facts = history::SelectFacts{1, 10, 0};
                 });
             s.move(What::copy, hand, "1", "Archive", Type::ok, "7", 9);
             s.list_imap(s.alice, 1, {{mail[0], 1}}, "INBOX");
             s.list_imap(s.alice, 1, {{mail[0], 7}}, "Archive", 9);
           }),
};

}  // namespace
}  // namespace mailproof::judge::acquitted
