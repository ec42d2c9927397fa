// What checks find: a line of talk that came out wrong, a wire rule that was broken, a check that could not be played.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

/// A talk of a check of this level, over one POP3 session.
struct Checked {
  Checked(Scene& s, const std::string& level, const std::string& harm = "") : scene(s), session(s.pop3(s.pc)) {
    s.history.info.check = {level, harm, true, "RFC 1939 section 5 (" + level + "): LIST on an empty maildrop"};
  }
  /// One line of the talk and how it came out.
  void line(Type how, const std::string& actual, const std::string& code = "") {
    const std::uint32_t expected = scene.expect(What::talk, session, "", [](Event& e) { e.text = "S: +OK"; });
    scene.done(expected, how, [&](Event& e) {
      e.text = actual;
      e.code = code;
    });
  }
  void rule(Type how, const std::string& actual) {
    scene.put(how, What::rule, session, [&](Event& e) {
      e.code = "pop3.crlf";
      e.text = actual;
      e.facts = history::RuleFacts{"CRLF", 1};
    });
  }
  Scene& scene;
  std::uint32_t session;
};

const bool kPlants[] = {
    plant("conformance/broken", [](Scene& s) { Checked(s, "MUST").line(Type::fail, "-ERR no messages"); }),
    plant("conformance/broken", [](Scene& s) { Checked(s, "PRACTICE", "lost").line(Type::fail, "-ERR"); }),
    plant("conformance/broken", [](Scene& s) { Checked(s, "MUST").rule(Type::fail, "a line that ends in LF alone"); }),
    plant("conformance/not-followed", [](Scene& s) { Checked(s, "SHOULD").line(Type::fail, "+OK 1 120 and more"); }),
    plant("conformance/not-followed", [](Scene& s) { Checked(s, "PRACTICE").line(Type::fail, "+OK"); }),
    plant("conformance/not-prepared",
          [](Scene& s) { Checked(s, "MUST").line(Type::info, "-ERR no message 1", "preparation"); }),
    plant("conformance/not-prepared",  // the loss is said beside it, as its own
          [](Scene& s) {
            const auto mail = s.accepted(3);
            s.history.info.check = {"MUST", "", true, "RFC 1939 section 5 (MUST): LIST on an empty maildrop"};
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "mailbox";
              e.text = "its mailbox could not be prepared: of 3 messages mail.2 was accepted and never seen";
            });
            s.audited({{mail[0], 1}, {mail[2], 2}});
          },
          {"loss/lost"}),
    plant("conformance/service-ended",
          [](Scene& s) {
            Checked(s, "MUST").line(Type::info, "the server ended the service: 421 shutting down", "service-ended");
          }),
    plant("conformance/not-now",
          [](Scene& s) { Checked(s, "MUST").line(Type::info, "t1 NO [UNAVAILABLE] later", "not-now"); }),
    plant("conformance/queued", [](Scene& s) { Checked(s, "MUST").line(Type::info, "it may be queued", "queued"); }),
    plant("conformance/beyond-bounds",
          [](Scene& s) { Checked(s, "MUST").line(Type::info, "more than 16 MiB", "beyond-bounds"); }),
    plant("conformance/hung-up",
          [](Scene& s) { Checked(s, "MUST").line(Type::info, "the server closed the connection", "hung-up"); }),
    plant("conformance/hung-up",
          [](Scene& s) {
            Checked check(s, "MUST");
            check.line(Type::info, "the server closed the connection", "earlier-hung-up");
            check.line(Type::ok, "OK");
          }),
    plant("conformance/silent", [](Scene& s) { Checked(s, "MUST").line(Type::info, "nothing within 10s", "silent"); }),
    plant("conformance/silent",
          [](Scene& s) {
            Checked check(s, "MUST");
            check.line(Type::info, "nothing within 10s", "earlier");
            check.line(Type::info, "nothing within 30s", "silent");
          }),
    plant("conformance/late",
          [](Scene& s) {
            Checked check(s, "MUST");
            check.line(Type::info, "nothing within 10s", "earlier");
            check.line(Type::ok, "-ERR");
          }),
    plant("conformance/broken",  // what is wrong is wrong, late or not
          [](Scene& s) {
            Checked check(s, "MUST");
            check.line(Type::info, "nothing within 10s", "earlier");
            check.line(Type::fail, "+OK");
          }),
    plant("conformance/unclear",
          [](Scene& s) {
            Checked check(s, "MUST");
            check.line(Type::ok, "+OK");
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "interrupted";
              e.text = "interrupted";
            });
          }),
    plant("conformance/others-mail",
          [](Scene& s) {
            Checked(s, "MUST").line(Type::fail, "+OK 2 2000");
            s.content(s.audit(Protocol::imap, s.alice, 0), 0, 1, 1, "header");
          }),
    plant("conformance/broken",  // a report to bob about alice's copy of our mail is no mail of others
          [](Scene& s) {
            const std::uint32_t m = s.message();
            Checked(s, "MUST").line(Type::fail, "* 1 FETCH (BODY[2.MIME] NIL)");
            const auto look = s.audit(Protocol::imap, s.bob, 0);
            s.content(look, 0, 1, 1, "header");
            s.obs(What::report, look, [&](Event& e) {
              e.message = m;
              e.account = s.alice;
              e.mailbox = "INBOX";
              e.uid = e.seq = 1;
            });
            s.content(look, 0, 1, 1, "full");
          }),
    plant("conformance/not-played",
          [](Scene& s) {
            Checked check(s, "MUST");
            s.obs(What::problem, 0, [](Event& e) {
              e.code = "login";
              e.text = "the login was refused: -ERR";
            });
          }),
};

const bool kSilences[] = {
    silent("every line of a talk came as it must",
           [](Scene& s) {
             Checked check(s, "MUST");
             check.line(Type::ok, "+OK");
             check.rule(Type::ok, "");
           }),
    silent("a MAY that is not so is recorded, not found",
           [](Scene& s) {
             Checked check(s, "MAY");
             check.line(Type::ok, "+OK");
             check.line(Type::fail, "-ERR");
           }),
    silent("what a talk does to mail is no other judge's business",
           [](Scene& s) {
             const auto mail = s.accepted(2);
             Checked check(s, "MUST");
             check.line(Type::ok, "+OK");
           }),
};

/// What another connection did is on no wire beside the line that failed.
TEST(Conformance, OfOtherConnectionsTheEvidenceHasTheTalk) {
  Scene s;
  Checked check(s, "MUST");
  const std::uint32_t other = s.pop3(s.pc);
  s.obs(What::talk, check.session, [](Event& e) { e.text = "C: LIST 1"; });
  s.obs(What::talk, other, [](Event& e) { e.text = "2> C: DELE 1"; });
  check.line(Type::fail, "-ERR no message 1");
  const auto found = judge(s.history, false).findings;
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found.front().evidence.size(), 2U);
  EXPECT_THAT(found.front().evidence[0], testing::EndsWith(": 2> C: DELE 1"));
  EXPECT_THAT(found.front().evidence[1], testing::HasSubstr(": S: +OK   not so: -ERR no message 1"));
}

}  // namespace
}  // namespace mailproof::judge
