// What judges looked at too narrowly: keywords, POP3 beside flags, numbers beside a CREATE, COPY and MOVE, NOOP.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void about_mailbox(Scene& s, What what, std::uint32_t session, const std::string& name, Type outcome = Type::ok,
                   const std::string& to = "") {
  s.ask(
      what, session,
      [&](Event& e) {
        e.mailbox = name;
        e.other_mailbox = to;
      },
      outcome);
}

void flags_told(Scene& s, std::uint32_t session, const std::vector<std::string>& flags) {
  for (std::uint32_t i = 1; i <= flags.size(); ++i) s.row(session, i, i, flags[i - 1]);
}

const bool kKeywords[] = {
    plant("flags/store-changed-more",  // the table of keywords shifts when one is dropped
          [](Scene& s) {
            const auto mail = s.accepted(3);
            const std::uint32_t hand = s.watches(s.phone, mail);
            flags_told(s, hand, {"", "", ""});
            s.store(hand, "1", "+FLAGS", "$Work");
            s.store(hand, "2", "+FLAGS", "$Later");
            s.store(hand, "1", "-FLAGS", "$Work");
            flags_told(s, s.watches(s.laptop, mail), {"", "$Later", "$Later"});
            s.audited(Scene::all(mail));
          }),
    plant("flags/store-changed-more",  // two are swapped
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            flags_told(s, hand, {"", ""});
            s.store(hand, "1", "+FLAGS", "$Work");
            s.store(hand, "2", "+FLAGS", "$Later");
            flags_told(s, s.watches(s.laptop, mail), {"$Work $Later", "$Later"});
            s.audited(Scene::all(mail));
          }),
    silent("keywords that filters set by themselves, in whatever case, though a client has set one, too",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             flags_told(s, hand, {"", ""});
             s.store(hand, "1", "+FLAGS", "$Junk NonJunk $Forwarded");
             s.store(hand, "1", "+FLAGS", "$Work");
             flags_told(s, s.watches(s.laptop, mail), {"$junk $work", "$JUNK nonjunk $hasattachment"});
             s.audited(Scene::all(mail));
           }),
    silent("a keyword that the copy of a message has as well: labels share their flags",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             flags_told(s, hand, {""});
             s.move(What::copy, hand, "1", "INBOX", Type::ok, "2");
             s.obs(What::exists, hand, [](Event& e) { e.facts = history::ExistsFacts{2, 1}; });
             s.content(hand, mail[0], 2, 2);
             s.row(hand, 2, 2);
             s.store(hand, "1", "+FLAGS", "$Work");
             flags_told(s, hand, {"$Work", "$Work"});
             s.audited({{mail[0], 1}, {mail[0], 2}});
           }),
    silent("of a recording nobody knows who else sets keywords",
           [](Scene& s) {
             s.history.info.recorded = true;
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail);
             flags_told(s, hand, {"", ""});
             s.store(hand, "1", "+FLAGS", "$Work");
             flags_told(s, hand, {"$Work", "$Work"});
           }),
};

const bool kFlagsBesidePop3[] = {
    plant("flags/store-changed-more",  // what TOP looked at is not on its way out
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail), pop = s.pop3(s.pc);
            flags_told(s, hand, {"", ""});
            s.obs(What::message, pop, [&](Event& e) {
              e.message = mail[0];
              e.seq = 1;
              e.text = "u1";
              e.code = "header";
            });
            s.store(hand, "2", "+FLAGS", "\\Deleted");
            flags_told(s, hand, {"\\Deleted", "\\Deleted"});
            s.audited(Scene::all(mail));
          }),
    plant("flags/unexplained",  // a download answers nothing
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            flags_told(s, hand, {""});
            s.pop_content(s.pop3(s.pc), mail[0], 1, "u1");
            flags_told(s, hand, {"\\Seen \\Answered"});
            s.audited(Scene::all(mail));
          }),
    plant("flags/unexplained",  // RFC 1939 section 8 lets a site take what was downloaded: a way, whoever else marks
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t hand = s.watches(s.phone, mail), pop = s.pop3(s.pc);
            flags_told(s, hand, {"", ""});
            s.store(hand, "2", "+FLAGS", "\\Deleted");
            s.pop_content(pop, mail[0], 1, "u1");
            s.ask(What::quit, pop);
            flags_told(s, hand, {"\\Deleted", "\\Deleted"});
            s.audited(Scene::all(mail));
          }),
    silent("what DELE marked may bear any flag: a server keeps it so for IMAP",
           [](Scene& s) {
             s.history.info.pop3_delete = Pop3Delete::keeps_for_imap;
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail), pop = s.downloads(mail);
             flags_told(s, hand, {""});
             s.dele(pop, 1, mail[0]);
             s.ask(What::quit, pop);
             flags_told(s, hand, {"\\Seen \\Deleted \\Flagged"});
             s.audited(Scene::all(mail), {});
           }),
};

const bool kUidnextOfCopies[] = {
    plant("identity/uid-below-uidnext",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t other = s.imap(s.laptop);
            s.selects(other, {.mailbox = "Archive", .uidnext = 10, .uidvalidity = 9});
            s.move(What::move, s.watches(s.phone, mail), "1", "Archive", Type::ok, "8", 9);
            s.list_imap(s.alice, 1, {}, "INBOX");
            s.list_imap(s.alice, 1, {{mail[0], 8}}, "Archive", 9);
          }),
    silent("what is copied gets the UID that was told, or a higher one; who asked before may get any",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t hand = s.watches(s.phone, mail), other = s.imap(s.laptop);
             const std::uint32_t copy = s.invoke(What::copy, hand, [](Event& e) {
               e.set = "1";
               e.mailbox = "INBOX";
               e.other_mailbox = "Archive";
             });
             s.selects(other, {.mailbox = "Archive", .uidnext = 10, .uidvalidity = 9});
             s.done(copy, Type::ok, [](Event& e) {
               e.set = "1";
               e.uidvalidity = 9;
               e.facts = history::CopyFacts{"8"};
             });
             s.move(What::copy, hand, "2", "Archive", Type::ok, "12", 9);
             s.list_imap(s.alice, 1, {{mail[0], 1}, {mail[1], 2}}, "INBOX");
             s.list_imap(s.alice, 1, {{mail[0], 8}, {mail[1], 12}}, "Archive", 9);
           }),
    silent("a mailbox of that name that was made anew meanwhile",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.selects(s.imap(s.laptop), {.mailbox = "Archive", .uidnext = 10, .uidvalidity = 9});
             about_mailbox(s, What::remove, hand, "Archive");
             about_mailbox(s, What::create, hand, "Archive");
             s.move(What::copy, hand, "1", "Archive", Type::ok, "1", 9);
             s.list_imap(s.alice, 1, {{mail[0], 1}}, "INBOX");
             s.list_imap(s.alice, 1, {{mail[0], 1}}, "Archive", 9);
           }),
};

const bool kNumbersBesideCreate[] = {
    plant("identity/uidnext-fell",  // CREATE of what is there empties nothing
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            s.selects(hand, {.mailbox = "Projects", .uidnext = 7, .uidvalidity = 9});
            about_mailbox(s, What::create, s.imap(s.laptop), "Projects", Type::fail);
            s.selects(hand, {.mailbox = "Projects", .uidnext = 1, .uidvalidity = 9});
          }),
    plant("identity/uidvalidity-fell",  // another mailbox is made
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            s.selects(hand, {.mailbox = "Projects", .uidvalidity = 9});
            about_mailbox(s, What::create, hand, "Archive");
            s.selects(hand, {.mailbox = "Projects", .uidvalidity = 8});
          }),
    plant("modseq/highest-behind",
          [](Scene& s) {
            const std::uint32_t hand = s.imap(s.phone);
            s.selects(hand, {.modseq = 9});
            about_mailbox(s, What::create, hand, "Archive");
            s.selects(hand, {.modseq = 8});
          }),
    silent("CREATE makes superiors, RENAME takes inferiors along, whatever the separator is",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             for (const std::uint32_t validity : {9U, 4U}) {
               for (const char* name : {"Work", "Work.Spring", "Old", "Old/Spring"})
                 s.selects(hand, {.mailbox = name, .uidnext = validity, .modseq = validity, .uidvalidity = validity});
               about_mailbox(s, What::rename, hand, "work", Type::ok, "OLD");
               about_mailbox(s, What::create, hand, "Work/Spring/May");
             }
           }),
    silent("a RENAME of INBOX takes its mail along, and what is refused may have begun",
           [](Scene& s) {
             const std::uint32_t hand = s.imap(s.phone);
             s.selects(hand, {.uidnext = 9, .modseq = 9, .uidvalidity = 9});
             about_mailbox(s, What::rename, hand, "INBOX", Type::fail, "Old");
             s.selects(hand, {.uidnext = 1, .modseq = 1, .uidvalidity = 10});
           }),
};

const bool kBelowHighest[] = {
    plant("modseq/below-highest",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.imap(s.phone);
            s.selects(hand, {.exists = 1, .modseq = 50});
            s.content(hand, mail[0], 1, 1);
            s.told_row(hand, 1, "", 40);
            s.store(s.imap(s.laptop), "1", "+FLAGS", "\\Seen");
            s.store(hand, "1", "+FLAGS", "\\Seen");
            s.told_row(hand, 1, "\\Seen", 42);
            s.audited(Scene::all(mail));
          }),
    silent("a change that came before HIGHESTMODSEQ was told, in a session that had not seen the flags before it",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t other = s.imap(s.laptop), hand = s.imap(s.phone);
             s.selects(other, {.exists = 2, .modseq = 40});
             for (std::uint32_t i = 1; i <= 2; ++i) s.content(other, mail[i - 1], i, i);
             s.told_row(other, 1, "", 40);
             s.store(other, "1", "+FLAGS", "\\Seen");
             s.selects(hand, {.exists = 2, .modseq = 50});
             s.told_row(hand, 1, "\\Seen", 45);
             s.told_row(hand, 1, "\\Seen \\Recent", 45);
             s.told_row(other, 1, "\\Seen", 45);
             s.store(hand, "1", "-FLAGS", "\\Seen");
             s.told_row(hand, 1, "", 51);
             s.audited(Scene::all(mail));
           }),
};

/// Two minutes of NOOPs in three waits, and each time a fresh session has what came.
void polls(Scene& s, std::uint32_t hand, const std::vector<std::uint32_t>& mail, int seconds) {
  for (const std::uint32_t message : mail) {
    const std::uint32_t wait = s.expect(What::see, hand, std::to_string(message));
    for (int i = 0; i < 2; ++i) {
      s.wait(std::chrono::seconds(seconds / 2));
      s.ask(What::noop, hand);
    }
    s.answer(wait, Type::fail, std::to_string(message));
    s.obs(What::asked_again, s.audit(Protocol::imap, s.alice, 0), [&](Event& e) {
      e.command = wait;
      e.code = "as-expected";
    });
  }
}

const bool kNoop[] = {
    plant("idle/noop-silent",
          [](Scene& s) {
            const std::uint32_t hand = s.watches(s.phone, {});
            const auto mail = s.accepted(3);
            polls(s, hand, mail, 60);
            s.audited(Scene::all(mail));
          }),
    plant("expectation/late",  // within two minutes every server has looked
          [](Scene& s) {
            const std::uint32_t hand = s.watches(s.phone, {});
            const auto mail = s.accepted(3);
            polls(s, hand, mail, 20);
            s.audited(Scene::all(mail));
          }),
    plant("expectation/late",  // and it was told, though late
          [](Scene& s) {
            const std::uint32_t hand = s.watches(s.phone, {});
            const auto mail = s.accepted(3);
            polls(s, hand, {mail[0], mail[1]}, 60);
            s.obs(What::exists, hand, [](Event& e) { e.facts = history::ExistsFacts{2, 0}; });
            polls(s, hand, {mail[2]}, 60);
            s.audited(Scene::all(mail));
          }),
};

}  // namespace
}  // namespace mailproof::judge
