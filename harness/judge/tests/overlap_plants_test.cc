// Commands of two sessions that overlap, and those that nobody answered: which came first, and whether they were done,
// the server alone knows.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

using Found = std::vector<std::pair<std::string, Scene::Listing>>;

/// The audit, twice, over INBOX and these mailboxes.
void looked(Scene& s, const Scene::Listing& inbox, const Found& others) {
  for (std::uint32_t round = 1; round <= 2; ++round) {
    s.both(round, inbox);
    for (const auto& [mailbox, found] : others) s.list_imap(s.alice, round, found, mailbox);
    if (round == 1) s.settle();
  }
}

std::uint32_t begins_move(Scene& s, std::uint32_t session, const std::string& set, const std::string& to) {
  return s.invoke(What::move, session, [&](Event& e) {
    e.set = set;
    e.mailbox = "INBOX";
    e.other_mailbox = to;
  });
}

/// Told while a command runs.
void told_expunged(Scene& s, std::uint32_t session, std::uint32_t number) {
  static_cast<history::Story&>(s).expunged(session, number, number);
}

std::uint32_t begins_store(Scene& s, std::uint32_t session, const std::string& how, const std::string& flags) {
  return s.invoke(What::store, session, [&](Event& e) {
    e.set = "1";
    e.code = how;
    e.flags = flags;
  });
}

std::uint32_t begins(Scene& s, What what, std::uint32_t session, const std::string& name,
                     const std::string& other = "") {
  return s.invoke(what, session, [&](Event& e) {
    e.mailbox = name;
    e.other_mailbox = other;
  });
}

void does(Scene& s, What what, std::uint32_t session, const std::string& name, Type outcome = Type::ok) {
  s.done(begins(s, what, session, name), outcome);
}

std::uint32_t begins_append(Scene& s, std::uint32_t session, std::uint32_t message, const std::string& to) {
  return s.invoke(What::append, session, [&](Event& e) {
    e.message = message;
    e.mailbox = to;
  });
}

void all_listed(Scene& s, std::uint32_t session, const std::vector<std::string>& names) {
  const std::uint32_t list = s.invoke(What::list, session);
  for (const std::string& name : names) s.obs(What::mailbox, session, [&](Event& e) { e.mailbox = name; });
  s.done(list, Type::ok);
}

const bool kMoves[] = {
    // RFC 3501 section 6.4.8: a UID that is gone is no error.
    silent("a MOVE elsewhere of what an unanswered MOVE had taken",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
             s.move(What::move, phone, "1", "Archive", Type::info);
             const std::uint32_t second = begins_move(s, laptop, "1", "Trash");
             told_expunged(s, laptop, 1);
             s.done(second, Type::ok);
             looked(s, {}, {{"Archive", {{mail[0], 7}}}, {"Trash", {}}});
           }),
    silent("two MOVEs to two places, neither answered, of which the first one did it",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t other = s.watches(s.laptop, mail);
             s.move(What::move, s.watches(s.phone, mail), "1", "Archive", Type::info);
             s.move(What::move, s.watches(s.phone, mail), "1", "Trash", Type::info);
             s.expunged(other, 1, 1);
             looked(s, {}, {{"Archive", {{mail[0], 7}}}, {"Trash", {}}});
           }),
    plant("loss/lost-in-move",  // it is in neither
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t other = s.watches(s.laptop, mail);
            s.move(What::move, s.watches(s.phone, mail), "1", "Archive", Type::info);
            s.move(What::move, s.watches(s.phone, mail), "1", "Trash", Type::info);
            s.expunged(other, 1, 1);
            looked(s, {}, {{"Archive", {}}, {"Trash", {}}});
          }),
    plant("loss/lost",  // there is one that took it, and somebody was told so
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t other = s.watches(s.laptop, mail);
            s.move(What::move, s.watches(s.phone, mail), "1", "Archive", Type::info);
            s.expunged(other, 1, 1);
            looked(s, {}, {{"Archive", {}}});
          }),
    silent("an unanswered MOVE that was not done, and POP3's QUIT that takes what was downloaded",
           [](Scene& s) {
             s.history.info.pop3_download = Pop3Download::removes;
             const auto mail = s.accepted(1);
             const std::uint32_t other = s.watches(s.laptop, mail), pop = s.downloads(mail);
             s.move(What::move, s.watches(s.phone, mail), "1", "Archive", Type::info);
             const std::uint32_t quit = s.invoke(What::quit, pop);
             s.expunged(other, 1, 1);
             s.done(quit, Type::ok);
             s.end(pop);
             looked(s, {}, {{"Archive", {}}});
           }),
    silent("an unanswered MOVE that was not done, and a RENAME of INBOX",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t other = s.watches(s.laptop, mail), phone = s.watches(s.phone, mail);
             s.move(What::move, phone, "1", "Archive", Type::info);
             const std::uint32_t rename = begins(s, What::rename, s.watches(s.phone, mail), "INBOX", "Old");
             s.expunged(other, 1, 1);
             s.done(rename, Type::ok);
             looked(s, {}, {{"Archive", {}}, {"Old", {{mail[0], 1}}}});
           }),
    silent("a MOVE that says NO has moved one, which is then removed where it went",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.imap(s.laptop);
             const std::uint32_t move = begins_move(s, phone, "1:2", "Archive");
             told_expunged(s, phone, 1);
             s.done(move, Type::fail);
             s.select(laptop, "Archive", 1);
             s.content(laptop, mail[0], 1, 7, "full", "Archive");
             s.store(laptop, "7");
             s.expunge(laptop);
             looked(s, {{mail[1], 2}}, {{"Archive", {}}});
           }),
    silent("... and it is moved on, and a COPY of it had been refused before",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.imap(s.laptop);
             s.move(What::copy, phone, "1", "Archive", Type::fail);
             s.move(What::move, phone, "1", "Archive", Type::fail);
             s.select(laptop, "Archive", 1);
             s.content(laptop, mail[0], 1, 7, "full", "Archive");
             s.move(What::move, laptop, "7", "Trash", Type::ok, "1");
             looked(s, {}, {{"Archive", {}}, {"Trash", {{mail[0], 1}}}});
           }),
    silent("... and a COPY of what it has taken finds nothing",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
             s.move(What::move, phone, "1", "Archive", Type::fail);
             s.move(What::copy, laptop, "1", "Trash");
             looked(s, {}, {{"Archive", {{mail[0], 7}}}, {"Trash", {}}});
           }),
    plant("removal/more-than-expunged",  // a MOVE that says NO took it, and it is nowhere
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t phone = s.watches(s.phone, mail);
            s.move(What::move, phone, "1", "Archive", Type::fail);
            s.end(phone);
            looked(s, {}, {{"Archive", {}}});
          }),
};

const bool kMarks[] = {
    silent("a mark, and one that takes it back at the same time",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
             const std::uint32_t clears = begins_store(s, laptop, "-FLAGS", "\\Deleted");
             const std::uint32_t sets = begins_store(s, phone, "+FLAGS", "\\Deleted");
             s.done(sets, Type::ok);
             s.done(clears, Type::ok);
             s.expunge(phone);
             s.audited(Scene::all(mail));
           }),
    silent("a mark after one was taken back without an answer, which the server does when it comes to it",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
             s.store(laptop, "1", "-FLAGS", "\\Deleted", Type::info);
             s.store(phone, "1");
             s.expunge(phone);
             s.audited(Scene::all(mail));
           }),
    silent("another flag after it was taken away without an answer",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail), laptop = s.watches(s.laptop, mail);
             s.store(laptop, "1", "-FLAGS", "\\Flagged", Type::info);
             s.store(phone, "1", "+FLAGS.SILENT", "\\Flagged");
             const std::uint32_t second = s.watches(s.laptop, mail);
             s.row(second, 1, 1, "\\Flagged");
             const std::uint32_t third = s.watches(s.laptop, mail);
             s.row(third, 1, 1);
             s.audited(Scene::all(mail));
           }),
    silent("a mark that OK [MODIFIED] says was not set (RFC 7162 section 3.1.3)",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.watches(s.phone, mail);
             const std::uint32_t sets = begins_store(s, phone, "+FLAGS.SILENT", "\\Deleted");
             s.done(sets, Type::ok, [](Event& e) { e.code = "MODIFIED 1"; });
             s.expunge(phone);
             s.audited(Scene::all(mail));
           }),
    silent("CLOSE of a mailbox that SELECT opened READ-ONLY",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.store(s.watches(s.phone, mail), "1");
             const std::uint32_t laptop = s.imap(s.laptop);
             s.ask(
                 What::select, laptop, [](Event& e) { e.mailbox = "INBOX"; }, Type::ok,
                 [](Event& e) {
                   e.mailbox = "INBOX";
                   e.uidvalidity = 1;
                   e.code = "READ-ONLY";
                   e.facts = history::SelectFacts{1, 0, 0};
                 });
             s.ask(What::close, laptop);
             s.audited(Scene::all(mail));
           }),
};

const bool kMailboxes[] = {
    silent("an APPEND, and the DELETE of its mailbox, whose OK is read first",
           [](Scene& s) {
             const std::uint32_t phone = s.imap(s.phone), laptop = s.imap(s.laptop), m = s.message();
             does(s, What::create, phone, "Projects");
             const std::uint32_t append = begins_append(s, laptop, m, "Projects");
             does(s, What::remove, phone, "Projects");
             does(s, What::create, phone, "Projects");
             s.done(append, Type::ok, [](Event& e) {
               e.uid = 1;
               e.uidvalidity = 3;
             });
             looked(s, {}, {{"Projects", {}}});
           }),
    silent("a MOVE into a mailbox that is deleted before it ends, which nobody answers",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             const std::uint32_t phone = s.imap(s.phone), laptop = s.watches(s.laptop, mail);
             does(s, What::create, phone, "Projects");
             const std::uint32_t move = begins_move(s, laptop, "1", "Projects");
             does(s, What::remove, phone, "Projects");
             does(s, What::create, phone, "Projects");
             s.done(move, Type::info);
             looked(s, {}, {{"Projects", {}}});
           }),
    silent("a RENAME whose OK is read when there is a new mailbox of the old name, with mail in it",
           [](Scene& s) {
             const std::uint32_t phone = s.imap(s.phone), laptop = s.imap(s.laptop), m = s.message();
             does(s, What::create, phone, "Projects");
             const std::uint32_t rename = begins(s, What::rename, phone, "Projects", "Old");
             does(s, What::create, laptop, "Projects");
             s.done(begins_append(s, laptop, m, "Projects"), Type::ok);
             s.done(rename, Type::ok);
             looked(s, {}, {{"Projects", {{m, 1}}}, {"Old", {}}});
           }),
    silent("... and an APPEND to the old name that was first, and whose OK is read last",
           [](Scene& s) {
             const std::uint32_t phone = s.imap(s.phone), laptop = s.imap(s.laptop), m = s.message();
             does(s, What::create, phone, "Projects");
             const std::uint32_t append = begins_append(s, laptop, m, "Projects");
             s.done(begins(s, What::rename, phone, "Projects", "Old"), Type::ok);
             s.done(append, Type::ok);
             looked(s, {}, {{"Projects", {}}, {"Old", {{m, 1}}}});
           }),
    silent("mailboxes: one made again without an answer, and one while it is listed",
           [](Scene& s) {
             const std::uint32_t phone = s.imap(s.phone), laptop = s.imap(s.laptop);
             for (const char* name : {"Projects", "Plans"}) {
               does(s, What::create, phone, name);
               does(s, What::remove, phone, name);
             }
             does(s, What::create, laptop, "Projects", Type::info);
             const std::uint32_t later = begins(s, What::create, s.imap(s.laptop), "Plans");
             all_listed(s, phone, {"INBOX", "Projects", "Plans"});
             s.done(later, Type::ok);
           }),
    silent("mailboxes: one made again as the superior of another (RFC 3501 section 6.3.3)",
           [](Scene& s) {
             const std::uint32_t phone = s.imap(s.phone);
             does(s, What::create, phone, "Projects");
             does(s, What::remove, phone, "Projects");
             does(s, What::create, phone, "Projects/2027");
             all_listed(s, phone, {"INBOX", "Projects", "Projects/2027"});
           }),
    silent("mailboxes: CREATE and DELETE of one name, the OK of CREATE read last",
           [](Scene& s) {
             const std::uint32_t phone = s.imap(s.phone), laptop = s.imap(s.laptop);
             const std::uint32_t create = begins(s, What::create, laptop, "Projects");
             does(s, What::remove, phone, "Projects");
             s.done(create, Type::ok);
             all_listed(s, phone, {"INBOX"});
             does(s, What::select, phone, "Projects", Type::fail);
           }),
    silent("mailboxes: DELETE and CREATE of one name, which nobody answers",
           [](Scene& s) {
             const std::uint32_t phone = s.imap(s.phone), laptop = s.imap(s.laptop);
             does(s, What::create, phone, "Projects");
             const std::uint32_t gone = begins(s, What::remove, phone, "Projects");
             does(s, What::create, laptop, "Projects", Type::info);
             s.done(gone, Type::ok);
             all_listed(s, phone, {"INBOX", "Projects"});
           }),
    silent("the audit looks while an unanswered QUIT removes one",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             const std::uint32_t pop = s.downloads(mail);
             s.dele(pop, 1);
             s.ask(What::quit, pop, {}, Type::info);
             s.end(pop, "ours");
             const std::uint32_t fresh = s.audit(Protocol::imap, s.alice, 1);
             s.select(fresh, "INBOX", 2, 1, What::examine);
             s.content(fresh, mail[1], 2, 2);
             s.obs(What::enumerated, fresh, [](Event& e) { e.facts = history::CountFacts{2}; });
             s.settle();
             s.both(2, {{mail[1], 2}});
           }),
};

constexpr std::uint64_t kRoom = 64 * 1024;

/// In a mailbox with a limit.
std::uint32_t of_octets(Scene& s, std::uint64_t octets) {
  s.history.info.accounts[s.alice - 1].quota = kRoom;
  history::MessageInfo made;
  made.set = "large";
  made.index = static_cast<std::uint32_t>(s.history.messages().size() + 1);
  made.size = octets;
  made.hash = 0xe00 + made.index;
  made.sender = s.bob;
  return s.history.add_message(made);
}

std::uint32_t begins_delivery(Scene& s, std::uint32_t session, std::uint32_t m) {
  return s.invoke(What::deliver, session, [&](Event& e) { e.message = m; });
}

void delivered(Scene& s, std::uint32_t command, std::uint32_t code = 250) {
  const std::uint32_t m = s.history.event(command).message;
  s.done(command, code == 250 ? Type::ok : Type::fail, [&](Event& e) {
    e.message = m;
    e.account = s.alice;
    e.facts = history::ReplyFacts{code};
    e.code = code == 250 ? "2.0.0" : "5.2.2";
    e.text = code == 250 ? "OK" : "mailbox full";
  });
}

const bool kRooms[] = {
    silent("quota: refused because of what another delivery puts there, whose OK is read later",
           [](Scene& s) {
             const std::uint32_t large = of_octets(s, 48 * 1024), small = of_octets(s, 24 * 1024);
             const std::uint32_t first = begins_delivery(s, s.lmtp(), large);
             const std::uint32_t second = begins_delivery(s, s.lmtp(), small);
             delivered(s, second, 552);
             delivered(s, first);
             s.audited({{large, 1}});
           }),
    plant("quota/refused-below-limit",  // what is under way does not fill it
          [](Scene& s) {
            const std::uint32_t large = of_octets(s, 8 * 1024), small = of_octets(s, 8 * 1024);
            const std::uint32_t first = begins_delivery(s, s.lmtp(), large);
            const std::uint32_t second = begins_delivery(s, s.lmtp(), small);
            delivered(s, second, 552);
            delivered(s, first);
            s.audited({{large, 1}});
          }),
    silent("quota: four deliveries at once, of which each found room",
           [](Scene& s) {
             std::vector<std::uint32_t> mail, commands;
             for (int i = 0; i < 4; ++i) mail.push_back(of_octets(s, 30 * 1024));
             for (const std::uint32_t m : mail) commands.push_back(begins_delivery(s, s.lmtp(), m));
             for (const std::uint32_t command : commands) delivered(s, command);
             delivered(s, begins_delivery(s, s.lmtp(), of_octets(s, 1024)), 552);
             s.audited(Scene::all(mail));
           }),
};

}  // namespace
}  // namespace mailproof::judge
