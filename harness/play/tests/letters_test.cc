#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "judge/judge.h"
#include "play/tests/sim_rig.h"

namespace mailproof::play {
namespace {

using history::Type;
using history::What;
using testing::HasSubstr;
using testing::IsEmpty;

/// A story beside the letters of the language's tests.
SimRig story(const std::string& steps, const std::function<void(server::ServerOptions&)>& with = {}) {
  return SimRig(
      scenario::parse("id: play.test\ntitle: a test\nneeds: [imap, pop3, delivery, lmtp]\naccounts: [alice]\n"
                      "devices: {mta: {delivers: lmtp}, phone: {imap: alice}, web: {imap: alice, kind: webmail}}\n"
                      "steps:\n" +
                          steps,
                      "harness/scenario/tests/good/play.yaml"),
      with);
}

std::vector<std::string> found(const SimRig& rig) {
  std::vector<std::string> out;
  for (const auto& finding : judge::judge(rig.player->history(), false).findings)
    out.push_back(finding.id + ": " + finding.actual);
  return out;
}

constexpr const char* kInvoice =
    "  - mta: {deliver: invoice, to: alice, file: letters/invoice.eml, count: 2}\n"
    "  - phone: {see: invoice, within: 5s}\n"
    "  - phone: compare\n"
    "  - judge: {intact: invoice}\n";

/// The guard knows it as ours: it is seen, compared, and taken away in the end.
TEST(Letters, AreStampedAndComeAsTheyWereSent) {
  SimRig rig = story(kInvoice);
  rig.options.load = true;  // cleans up in simulation too
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(found(rig), IsEmpty());
  const auto& sent = rig.player->history().message(2);
  EXPECT_EQ(sent.name(), "invoice.2 \"Rechnung M\xC3\xA4rz\"");
  EXPECT_GT(sent.body_lines, 15U);
}

TEST(Letters, AFindingNamesThemByTheirSubject) {
  SimRig rig = story(kInvoice, [](server::ServerOptions& options) { options.defects = {"delivery.loses-last-line"}; });
  rig.play();
  EXPECT_THAT(found(rig), testing::Contains(testing::AllOf(HasSubstr("content/altered"),
                                                           HasSubstr("invoice.1 \"Rechnung M\xC3\xA4rz\" read by"))));
}

TEST(Letters, ASubjectOfTheStorysOwnIsFoundByPeople) {
  SimRig rig = story(
      "  - mta: {deliver: mail, to: alice, subject: \"Mahnung f\xC3\xBCr M\xC3\xA4rz\"}\n"
      "  - mta: {deliver: other, to: alice, file: letters/invoice.eml, subject: Reminder}\n"
      "  - phone: {see: mail, within: 5s}\n"
      "  - phone: {search: SUBJECT Reminder, finds: other}\n");
  rig.play();
  EXPECT_THAT(found(rig), IsEmpty());
  EXPECT_EQ(rig.player->history().message(1).name(), "mail.1 \"Mahnung f\xC3\xBCr M\xC3\xA4rz\"");
  EXPECT_EQ(rig.player->history().message(2).name(), "other.1 \"Reminder\"");
}

TEST(Letters, AnotherLetterIsAnotherStory) {
  const auto hash = [](const char* text) {
    return scenario::parse(text, "harness/scenario/tests/good/play.yaml").scenarios.at(0).hash;
  };
  EXPECT_NE(hash("id: play.test\nneeds: delivery\naccounts: [a]\ndevices: {mta: {delivers: any}}\nsteps:\n"
                 "  - mta: {deliver: mail, file: letters/invoice.eml}\n"),
            hash("id: play.test\nneeds: delivery\naccounts: [a]\ndevices: {mta: {delivers: any}}\nsteps:\n"
                 "  - mta: {deliver: mail, file: letters/plain.eml}  \n"));
}

TEST(Steps, AreDoneAsOftenAsTheySay) {
  SimRig rig = story(
      "  - mta: {deliver: mail, to: alice, times: 3}\n"
      "  - phone: {see: mail, within: 5s}\n"
      "  - together:\n"
      "      - phone: {flag: mail.3, times: 4}\n"
      "      - web: {copy: mail.2, to: Archive, times: 2}\n"
      "  - judge: {count: 3, in: INBOX, of: alice}\n"
      "  - judge: {count: 2, in: Archive, of: alice}\n");
  rig.play();
  EXPECT_THAT(found(rig), IsEmpty());
  const auto& events = rig.player->history().events();
  EXPECT_EQ(std::count_if(events.begin(), events.end(),
                          [](const auto& e) { return e.what == What::store && e.type == Type::ok; }),
            4);
}

TEST(Steps, ActInTheMailboxThatTheyName) {
  SimRig rig = story(
      "  - mta: {deliver: mail, to: alice, count: 3}\n"
      "  - phone: {see: mail, within: 5s}\n"
      "  - phone: {copy: mail, to: Archive}\n"
      "  - phone: {open: INBOX}\n"
      "  - phone: {delete: mail.1-2, in: Archive}\n"
      "  - phone: {flag: mail.3, with: $Kept, in: Archive}\n"
      "  - phone: {move: mail.3, to: Old, in: Archive}\n"
      "  - judge: {count: 3, in: INBOX, of: alice}\n"
      "  - judge: {count: 0, in: Archive, of: alice}\n"
      "  - judge: {count: 1, in: Old, of: alice}\n");
  rig.play();
  EXPECT_EQ(rig.problem(), "");
  EXPECT_THAT(found(rig), IsEmpty());
}

}  // namespace
}  // namespace mailproof::play
