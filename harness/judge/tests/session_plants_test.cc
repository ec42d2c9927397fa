// Violations of what a session itself owes: an answer, a connection, its protocol.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void never_ready(Scene& s, const std::string& code, const std::string& text) {
  const std::uint32_t session =
      s.history.add_session({"phone#9", s.phone, Protocol::imap, s.alice, 0, "imap 127.0.0.1:143"});
  s.ask(What::connect, session, {}, Type::fail, [&](Event& e) {
    e.code = code;
    e.text = text;
  });
}

const bool kSession[] = {
    plant("session/unreachable",
          [](Scene& s) { never_ready(s, "refused", "imap 127.0.0.1:143: connect: connection refused"); }),
    plant("session/unreachable",  // said by the play as well: once is enough
          [](Scene& s) {
            never_ready(s, "timeout", "imap 127.0.0.1:143: greeting: no greeting within 10s");
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "connect";
              e.text = "phone: imap 127.0.0.1:143: greeting: no greeting within 10s";
            });
          }),
    plant("session/login-refused",
          [](Scene& s) { never_ready(s, "dropped", "imap 127.0.0.1:143: LOGIN: NO [AUTHENTICATIONFAILED]"); }),
    plant("session/tls-failed",
          [](Scene& s) { never_ready(s, "tls-failed", "imap 127.0.0.1:993: TLS: certificate has expired"); }),
    plant("session/bring-up-failed",
          [](Scene& s) { never_ready(s, "dropped", "imap 127.0.0.1:143: greeting: this is no IMAP greeting"); }),
    plant("session/problem",
          [](Scene& s) {
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "lease";
              e.text = "the pool has 1 account, the scenario needs 2";
            });
          }),
    plant("session/interrupted",
          [](Scene& s) {
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "interrupted";
              e.text = "interrupted";
            });
          }),
    plant("session/foreign-mail",
          [](Scene& s) {
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "foreign";
              e.text = "nothing was expunged from INBOX: it may hold mail that is not ours and is marked as deleted";
            });
          }),
    plant("session/audit-incomplete",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.audited(Scene::all(mail));
            s.obs(What::audit, 0, [](Event& e) { e.text = "Archive could not be listed over IMAP"; });
          }),
    plant("session/protocol-broken",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::end, hand, [](Event& e) {
              e.code = "dropped";
              e.flags = "broken";
              e.text = "imap 127.0.0.1:143: UID FETCH: literal of 10737418240 octets announced";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/beyond-bounds",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::end, hand, [](Event& e) {
              e.code = "dropped";
              e.flags = "beyond";
              e.text =
                  "imap 127.0.0.1:143: EXAMINE: the server claims a mailbox of 1000001 messages; 1000000 are followed";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/literal-too-short",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::end, hand, [](Event& e) {
              e.code = "timeout";
              e.flags = "broken";
              e.text =
                  "imap 127.0.0.1:143: UID FETCH: the literal of \"* 1 FETCH (UID 1 BODY[] {51477}\" announces 51477 "
                  "octets; 42646 came, and then the reply a5 within it; no reply within 1m";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/hung-up",  // RFC 3501 section 3.4: not without BYE
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.ask(What::noop, hand, {}, Type::info);
            s.end(hand, "", "closed");
            s.audited(Scene::all(mail));
          }),
    plant("session/ended-by-server",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.ask(What::noop, hand, {}, Type::info);
            s.obs(What::end, hand, [](Event& e) {
              e.code = "closed";
              e.text = "imap 127.0.0.1:143: NOOP: BYE: shutting down";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/no-answer",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.ask(What::noop, hand, {}, Type::info);
            s.end(hand, "", "timeout");
            s.audited(Scene::all(mail));
          }),
    plant("session/mailbox-name",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::deviation, s.watches(s.phone, mail), [](Event& e) {
              e.code = "imap.mailbox.utf7";
              e.text = "R&D";
            });
            s.audited(Scene::all(mail));
          }),
    plant("session/deviation.imap.crlf.bare_lf",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.obs(What::deviation, s.watches(s.phone, mail), [](Event& e) {
              e.code = "imap.crlf.bare_lf";
              e.text = "* OK hello";
            });
            s.audited(Scene::all(mail));
          }),
};

}  // namespace
}  // namespace mailproof::judge
