#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "scenario/scenario.h"

namespace mailproof::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

/// The one scenario of a text that has no mistakes.
Scenario understood(std::string_view text) {
  auto loaded = parse(text, "example.yaml");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  return loaded.scenarios.empty() ? Scenario{} : std::move(loaded.scenarios.front());
}

TEST(Examples, AMultiDeviceStory) {
  const auto story = understood(R"(id: mixed.pop-download-empties-the-phone
title: A POP client that deletes on download takes the mail from the phone
why: The commonest "missing mail" ticket - one device on POP3, another on IMAP.
refs: [RFC 1939 section 6, RFC 3501 section 7.4.1]
needs: [pop3, imap, delivery]

accounts: [alice]
devices:
  mta:   {delivers: any}           # the target's first way of delivery: lmtp, smtp, append, command
  phone: {imap: alice, idle: INBOX}
  pc:    {pop3: alice, after_download: delete}

steps:
  - mta:   {deliver: mail, to: alice, count: 3}
  - phone: {see: mail, within: 5s}
  - pc:    {download: new, as: got}
  - pc:    quit
  - phone: {lose: mail, within: 5s}
  - judge: {fate: mail, is: removed-by-client, by: pc, over: pop3, copy_on: pc}
)");
  EXPECT_EQ(story.id, "mixed.pop-download-empties-the-phone");
  EXPECT_EQ(story.why, "The commonest \"missing mail\" ticket - one device on POP3, another on IMAP.");
  EXPECT_THAT(story.refs, ElementsAre("RFC 1939 section 6", "RFC 3501 section 7.4.1"));
  EXPECT_THAT(story.needs, ElementsAre(Need::pop3, Need::imap, Need::delivery));
  ASSERT_EQ(story.devices.size(), 3U);
  EXPECT_EQ(story.devices[0].kind, DeviceKind::deliverer);
  EXPECT_EQ(story.devices[0].way, Way::any);
  EXPECT_EQ(story.devices[1].idle, "INBOX");
  EXPECT_EQ(story.devices[2].after.policy, AfterDownload::Policy::remove);
  ASSERT_EQ(story.steps.size(), 6U);
  const Step& deliver = story.steps[0];
  EXPECT_EQ(deliver.verb, Verb::deliver);
  EXPECT_EQ(deliver.get<Deliver>().set, "mail");
  EXPECT_THAT(deliver.get<Deliver>().to, ElementsAre(0U));
  EXPECT_EQ(deliver.get<Deliver>().count, 3);
  EXPECT_EQ(deliver.get<Deliver>().within, 10s);
  EXPECT_EQ(deliver.pos.line, 14);
  EXPECT_EQ(story.steps[1].verb, Verb::see);
  EXPECT_EQ(story.steps[1].get<Await>().within, 5s);
  EXPECT_EQ(story.steps[1].text, "phone: {see: mail, within: 5s}");
  EXPECT_EQ(story.steps[2].get<Download>().which, Download::Which::fresh);
  EXPECT_EQ(story.steps[2].get<Download>().as, "got");
  EXPECT_EQ(story.steps[3].verb, Verb::quit);
  EXPECT_EQ(story.steps[3].text, "pc: quit");
  EXPECT_EQ(story.steps[4].verb, Verb::lose);
  const Step& fate = story.steps[5];
  EXPECT_EQ(fate.device, Step::kJudge);
  EXPECT_EQ(fate.get<HasFate>().is, Fate::removed_by_client);
  EXPECT_EQ(fate.get<HasFate>().by, 2U);
  EXPECT_EQ(fate.get<HasFate>().over, Protocol::pop3);
  EXPECT_EQ(fate.get<HasFate>().copy_on, 2U);
}

TEST(Examples, StepsAtTheSameTimeFaultsAndOfflineDevices) {
  const auto story = understood(R"(id: mixed.example
needs: [pop3, imap, delivery]
accounts: [alice]
devices:
  mta: {delivers: any}
  phone: {imap: alice}
  tablet: {imap: alice}
  laptop: {imap: alice}
  pc: {pop3: alice}
steps:
  - mta: {deliver: mail, to: alice, count: 3}
  - together:
      - phone:  {move: mail.1-2, to: Archive}
      - tablet: {move: mail.2-3, to: Trash}
  - laptop: {go: offline}                          # keeps its cache and modseq
  - phone:  {delete: mail.3}
  - laptop: {go: online, resync: qresync}          # its view must equal a full fetch
  - pc:     {quit: now, cut: before-reply}         # outcome unknown to the client: per message the judge allows gone or kept; no unmarked one may go
)");
  ASSERT_EQ(story.steps.size(), 6U);
  const Step& together = story.steps[1];
  EXPECT_EQ(together.verb, Verb::together);
  EXPECT_EQ(together.device, Step::kJudge);
  ASSERT_EQ(together.together.size(), 2U);
  EXPECT_EQ(together.together[0].get<Move>().messages.text(), "mail.1-2");
  EXPECT_EQ(together.together[0].get<Move>().to, "Archive");
  EXPECT_EQ(together.together[1].device, 2U);
  EXPECT_EQ(together.together[1].get<Move>().messages.first, 2);
  EXPECT_EQ(together.together[1].get<Move>().messages.last, 3);
  EXPECT_FALSE(story.steps[2].get<Go>().online);
  EXPECT_EQ(story.steps[3].verb, Verb::remove);
  EXPECT_EQ(story.steps[3].get<Delete>().how, How::expunge);
  EXPECT_EQ(story.steps[3].get<Delete>().messages.text(), "mail.3");
  EXPECT_TRUE(story.steps[4].get<Go>().online);
  EXPECT_EQ(story.steps[4].get<Go>().resync, Resync::qresync);
  EXPECT_EQ(story.steps[5].get<Quit>().cut.when, Cut::When::before_reply);
}

TEST(Examples, QuotaAndBounce) {
  const auto story = understood(R"(id: quota.full-mailbox-refuses-or-bounces
needs: [imap, delivery, quota]
accounts: {bob: {quota: 64KiB}, carol: {}}        # leased from a class of the target with that quota, or set through admin
devices:
  mta:       {delivers: any, from: carol}
  bob_phone: {imap: bob}
  carol_web: {imap: carol, kind: webmail}
steps:
  - mta:       {deliver: filler, to: bob, size: 8KiB, until: refused-or-bounced, at_most: 20, settle: 10s}   # at_most reached = inconclusive
  - mta:       {deliver: late, to: bob, size: 8KiB, expect: refused-or-bounced, status: 5.2.2, within: 60s}  # awaits carol's report only after a 250
  - bob_phone: {delete: filler.1-4, how: expunge}
  - mta:       {deliver: again, to: bob, size: 8KiB, expect: accepted}
  - bob_phone: {see: again, within: 10s}
)");
  ASSERT_EQ(story.accounts.size(), 2U);
  EXPECT_EQ(story.accounts[0].quota, 64U * 1024);
  EXPECT_FALSE(story.accounts[1].quota);
  EXPECT_EQ(story.devices[0].from, 1U);
  EXPECT_TRUE(story.devices[2].webmail);
  ASSERT_EQ(story.steps.size(), 5U);
  EXPECT_EQ(story.steps[0].get<Deliver>().size, 8U * 1024);
  EXPECT_EQ(story.steps[0].get<Deliver>().until, Outcome::refused_or_bounced);
  EXPECT_EQ(story.steps[0].get<Deliver>().at_most, 20);
  EXPECT_EQ(story.steps[0].get<Deliver>().settle, 10s);
  EXPECT_EQ(story.steps[1].get<Deliver>().expect, Outcome::refused_or_bounced);
  EXPECT_EQ(story.steps[1].get<Deliver>().status, "5.2.2");
  EXPECT_EQ(story.steps[1].get<Deliver>().within, 60s);
  EXPECT_EQ(story.steps[2].get<Delete>().messages.text(), "filler.1-4");
  EXPECT_EQ(story.steps[3].get<Deliver>().expect, Outcome::accepted);
}

TEST(Examples, TheStoriesThatComeWithItAreUnderstood) {
  const auto loaded = load({"scenarios"}, "scenarios");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  std::vector<std::string> ids;
  for (const auto& story : loaded.scenarios) {
    ids.push_back(story.id);
    EXPECT_FALSE(story.title.empty()) << story.id;
    EXPECT_TRUE(story.check || !story.why.empty()) << story.id;
  }
  EXPECT_THAT(ids,
              testing::IsSupersetOf({"sync.read-on-phone-read-everywhere", "pop3.delete-on-download",
                                     "mixed.pop-download-empties-the-phone", "quota.full-mailbox-refuses-or-bounces"}));
}

}  // namespace
}  // namespace mailproof::scenario
