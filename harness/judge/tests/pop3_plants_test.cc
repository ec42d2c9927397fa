// Violations of what a POP3 session is told, and of POP3 and IMAP together.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void stat(Scene& s, std::uint32_t session, std::uint32_t count, std::uint64_t octets) {
  s.ask(What::stat, session, {}, Type::ok, [&](Event& e) {
    e.facts = history::CountFacts{count};
    e.size = octets;
  });
}

void list(Scene& s, std::uint32_t session, const std::vector<std::pair<std::uint32_t, std::uint64_t>>& rows) {
  const std::uint32_t command = s.invoke(What::pop_list, session);
  for (const auto& [number, octets] : rows) s.list_row(session, number, octets);
  s.done(command, Type::ok);
}

void retr(Scene& s, std::uint32_t session, std::uint32_t number, std::uint32_t m, std::uint64_t octets) {
  s.pop_content(session, m, number, Scene::uidl(number));
  s.ask(
      What::retr, session, [&](Event& e) { e.seq = number; }, Type::ok,
      [&](Event& e) {
        e.seq = number;
        e.message = m;
        e.size = octets;
      });
}

std::uint32_t opened(Scene& s, const std::vector<std::uint32_t>& mail) {
  const std::uint32_t pop = s.downloads(mail);
  std::vector<std::pair<std::uint32_t, std::uint64_t>> rows;
  for (std::uint32_t i = 1; i <= mail.size(); ++i) rows.emplace_back(i, 1000);
  list(s, pop, rows);
  return pop;
}

void over(Scene& s, std::uint32_t pop, const std::vector<std::uint32_t>& mail) {
  s.ask(What::rset, pop);
  s.ask(What::quit, pop);
  s.end(pop);
  s.audited(Scene::all(mail));
}

const bool kSession[] = {
    plant("pop3-session/numbering-changed",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = opened(s, mail);
            s.pop_content(pop, mail[1], 1, "u1");  // number 1 was mail.1
            over(s, pop, mail);
          }),
    plant("pop3-session/numbering-changed",  // by unique-id
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = opened(s, mail);
            s.uidl_row(pop, 1, "other");
            over(s, pop, mail);
          }),
    plant("pop3-session/numbering-changed",  // by size
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = opened(s, mail);
            list(s, pop, {{1, 1001}});
            over(s, pop, mail);
          }),
    plant("pop3-session/stat-not-sum",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = s.downloads(mail);
            stat(s, pop, 2, 1999);
            list(s, pop, {{1, 1000}, {2, 1000}});
            over(s, pop, mail);
          }),
    plant("pop3-session/stat-not-sum",  // count, and LIST first
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = opened(s, mail);
            stat(s, pop, 3, 2000);
            over(s, pop, mail);
          }),
    plant("pop3-session/deleted-still-told",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = opened(s, mail);
            s.dele(pop, 1);
            list(s, pop, {{1, 1000}, {2, 1000}});
            over(s, pop, mail);
          }),
    plant("pop3-session/deleted-still-told",  // still accessible
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = opened(s, mail);
            s.dele(pop, 1);
            retr(s, pop, 1, mail[0], 1000);
            over(s, pop, mail);
          }),
    plant("pop3-session/rset-does-not-restore",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = opened(s, mail);
            s.dele(pop, 1);
            s.ask(What::rset, pop);
            list(s, pop, {{2, 1000}});
            over(s, pop, mail);
          }),
    plant("pop3-session/retr-size",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = opened(s, mail);
            retr(s, pop, 1, mail[0], 1007);
            over(s, pop, mail);
          }),
    plant("pop3-session/top-lines",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = opened(s, mail);
            s.ask(
                What::top, pop,
                [](Event& e) {
                  e.seq = 1;
                  e.facts = history::TopFacts{5, 0};
                },
                Type::ok,
                [&](Event& e) {
                  e.message = mail[0];
                  e.facts = history::TopFacts{5, 4};
                });
            over(s, pop, mail);
          }),
};

const bool kUidl[] = {
    plant("uidl/format",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.pop3(s.pc);
            s.uidl_row(pop, 1, "with space");
            over(s, pop, mail);
          }),
    plant("uidl/format",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.pop3(s.pc);
            s.uidl_row(pop, 1, std::string(71, 'x'));
            over(s, pop, mail);
          }),
    plant("uidl/not-unique",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t pop = s.pop3(s.pc);
            s.uidl_row(pop, 1, "u1");
            s.uidl_row(pop, 2, "u1");
            s.pop_content(pop, mail[0], 1, "u1");
            over(s, pop, mail);
          }),
    plant("uidl/changed",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.pop3(s.pc);
            s.uidl_row(pop, 1, "first");
            s.pop_content(pop, mail[0], 1, "first");
            over(s, pop, mail);
          }),
};

void refused(Scene& s, const std::string& reply = "-ERR [IN-USE] maildrop is locked") {
  const std::uint32_t session = s.history.add_session({"pc#9", s.pc, Protocol::pop3, s.alice, 0, "pop3 127.0.0.1:110"});
  s.ask(What::connect, session, {}, Type::fail, [&](Event& e) {
    e.code = "dropped";
    e.text = "pop3 127.0.0.1:110: PASS: " + reply;
  });
}

/// Nobody has had the maildrop for the settling time; then it is asked for twice, and that long between.
void refused_and_still(Scene& s, const std::string& reply = "-ERR [IN-USE] maildrop is locked") {
  s.settle();
  s.wait(std::chrono::seconds(1));
  refused(s, reply);
  s.settle();
  refused(s, reply);
}

const bool kLock[] = {
    plant("maildrop-lock/stale-lock",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t pop = s.downloads(mail);
            s.end(pop, "ours", "dropped");
            refused_and_still(s);
            s.audited(Scene::all(mail));
          }),
    plant("maildrop-lock/stale-lock",  // refused right after the session that had it, and still
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.end(s.downloads(mail), "ours", "dropped");
            refused(s);
            s.settle();
            s.wait(std::chrono::seconds(1));
            refused(s);
            s.audited(Scene::all(mail));
          }),
    silent("a maildrop that is in use for a moment, by whoever it may be",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.settle();
             s.wait(std::chrono::seconds(1));
             refused(s);
             s.audited(Scene::all(mail));
           }),
    silent("a maildrop that an IMAP session has",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             s.watches(s.phone, mail);
             refused_and_still(s);
             s.audited(Scene::all(mail));
           }),
    silent("an account that is locked",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             refused_and_still(s, "-ERR [AUTH] this account is locked by the administrator");
             s.audited(Scene::all(mail));
           }),
    plant("maildrop-lock/snapshot-broken",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            const std::uint32_t a = s.downloads(mail);
            const std::uint32_t tablet = s.device("tablet", history::DeviceKind::pop3, s.alice);
            const std::uint32_t b = s.pop3(tablet);
            s.uidl_row(b, 1, "u1");
            s.dele(a, 1);
            s.ask(What::quit, a);
            s.end(a);
            s.ask(
                What::retr, b, [](Event& e) { e.seq = 1; }, Type::fail, [](Event& e) { e.text = "no such message"; });
            s.ask(What::quit, b);
            s.end(b);
            s.audited({{mail[1], 2}});
          }),
};

const bool kAgreement[] = {
    plant("agreement/pop3-lacks",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.audited(Scene::all(mail), {{mail[0], 1}});
          }),
    plant("agreement/imap-lacks",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.audited({{mail[0], 1}}, Scene::all(mail));
          }),
    plant("agreement/not-confirmed",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            s.both(1, Scene::all(mail), {{mail[0], 1}});
          }),
};

}  // namespace
}  // namespace mailproof::judge
