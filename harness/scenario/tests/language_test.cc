#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "scenario/scenario.h"
#include "scenario/story/verbs.h"

namespace mailproof::scenario {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::string_view kHead = R"(id: test.language
needs: [imap, pop3, delivery, quota, bounce, lmtp, smtp, tls]
accounts: [alice, bob]
devices:
  mta:    {delivers: any}
  relay:  {delivers: smtp, from: bob, tls: starttls}
  phone:  {imap: alice, tls: implicit}
  web:    {imap: alice, kind: webmail}
  other:  {imap: bob, kind: client}
  pc:     {pop3: alice, after_download: keep}
  old:    {pop3: alice, after_download: {delete_after: 14 days}}
steps:
  - mta: {deliver: mail, to: [alice, bob], count: 9}
)";

/// The steps behind the first, which delivers the set "mail".
std::vector<Step> steps(const std::string& lines) {
  auto loaded = parse(std::string(kHead) + lines, "f.yaml");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  if (loaded.scenarios.empty()) return {};
  auto all = std::move(loaded.scenarios.front().steps);
  all.erase(all.begin());
  return all;
}

Step step(const std::string& action) {
  auto all = steps("  - " + action + "\n");
  return all.empty() ? Step{} : std::move(all.front());
}

TEST(Language, Devices) {
  const auto devices = parse(kHead, "f.yaml").scenarios.at(0).devices;
  EXPECT_EQ(devices[1].way, Way::smtp);
  EXPECT_EQ(devices[1].from, 1U);
  EXPECT_EQ(devices[1].tls, TlsMode::starttls);
  EXPECT_EQ(devices[2].tls, TlsMode::implicit);
  EXPECT_FALSE(devices[3].tls);
  EXPECT_FALSE(devices[4].webmail);
  EXPECT_EQ(devices[4].account, 1U);
  EXPECT_EQ(devices[5].after.policy, AfterDownload::Policy::keep);
  EXPECT_EQ(devices[6].after.policy, AfterDownload::Policy::remove_after);
  EXPECT_EQ(devices[6].after.age, 14 * 24h);
}

TEST(Language, BareWordsOfEveryDevice) {
  const std::pair<const char*, Verb> words[] = {
      {"phone: sync", Verb::sync},       {"phone: idle", Verb::idle},       {"phone: expunge", Verb::expunge},
      {"phone: quota", Verb::quota},     {"phone: logout", Verb::logout},   {"phone: log out", Verb::logout},
      {"phone: drop", Verb::drop},       {"phone: compare", Verb::compare}, {"pc: connect", Verb::connect},
      {"pc: list", Verb::list},          {"pc: reset", Verb::reset},        {"pc: quit", Verb::quit},
      {"pc: drop", Verb::drop},          {"pc: compare", Verb::compare},    {"pc: {quit: now}", Verb::quit},
      {"phone: {sync: now}", Verb::sync}};
  for (const auto& [text, verb] : words) {
    const auto one = step(text);
    EXPECT_EQ(one.verb, verb) << text;
    EXPECT_EQ(one.text, text);
  }
}

TEST(Language, Deliver) {
  const auto one = step(
      "relay: {deliver: x, to: bob, count: 2, size: 8 KiB, kind: dot-lines, expect: bounced, status: 4.2.2, within: "
      "2m, via: lmtp, "
      "cut: after-final-dot}");
  EXPECT_EQ(one.device, 1U);
  const auto& deliver = one.get<Deliver>();
  EXPECT_THAT(deliver.to, ElementsAre(1U));
  EXPECT_EQ(deliver.count, 2);
  EXPECT_EQ(deliver.size, 8192U);
  EXPECT_EQ(deliver.kind, MessageKind::dot_lines);
  EXPECT_EQ(deliver.expect, Outcome::bounced);
  EXPECT_EQ(deliver.status, "4.2.2");
  EXPECT_EQ(deliver.within, 2min);
  EXPECT_EQ(deliver.via, Way::lmtp);
  EXPECT_EQ(deliver.cut.when, Cut::When::after_final_dot);
  EXPECT_EQ(step("mta: {deliver: x, to: bob, cut: after 120 bytes}").get<Deliver>().cut.bytes, 120U);
  EXPECT_EQ(step("mta: {to: bob, deliver: x}").get<Deliver>().set, "x") << "the verb is found wherever it stands";
  const std::pair<const char*, MessageKind> kinds[] = {{"plain", MessageKind::plain},
                                                       {"office", MessageKind::office},
                                                       {"long-lines", MessageKind::long_lines},
                                                       {"eight-bit", MessageKind::eight_bit}};
  for (const auto& [word, kind] : kinds)
    EXPECT_EQ(step("mta: {deliver: x, to: bob, kind: " + std::string(word) + "}").get<Deliver>().kind, kind);
  const std::pair<const char*, Outcome> outcomes[] = {
      {"accepted", Outcome::accepted}, {"refused", Outcome::refused}, {"deferred", Outcome::deferred}};
  for (const auto& [word, outcome] : outcomes)
    EXPECT_EQ(step("mta: {deliver: x, to: bob, expect: " + std::string(word) + "}").get<Deliver>().expect, outcome);
  const auto until =
      step("mta: {deliver: x, to: bob, until: deferred, at_most: 7, settle: 250ms, status: 4.2.2}").get<Deliver>();
  EXPECT_EQ(until.until, Outcome::deferred);
  EXPECT_EQ(until.at_most, 7);
  EXPECT_EQ(until.settle, 250ms);
}

TEST(Language, Retry) {
  const auto one = step("mta: {retry: mail.2, expect: accepted, within: 1m, via: append}");
  EXPECT_EQ(one.verb, Verb::retry);
  EXPECT_EQ(one.get<Retry>().messages.text(), "mail.2");
  EXPECT_EQ(one.get<Retry>().via, Way::append);
}

TEST(Language, PartsOfSets) {
  for (const char* part : {"mail", "mail.1", "mail.1-2", "mail.2-last", "mail.last"})
    EXPECT_EQ(step(std::string("phone: {see: ") + part + "}").get<Await>().messages.text(), part);
  EXPECT_TRUE(step("phone: {see: mail.last}").get<Await>().messages.newest);
  EXPECT_EQ(step("phone: {see: mail.2-last}").get<Await>().messages.last, -1);
  EXPECT_EQ(step("phone: {see: mail}").get<Await>().messages.first, 0);
}

TEST(Language, SeeAndLose) {
  const auto see =
      step(
          "web: {see: mail, in: Archive, within: 250ms, flags: [seen, flagged, answered, deleted, draft, $Forwarded, "
          "\\Seen]}")
          .get<Await>();
  EXPECT_EQ(see.mailbox, "Archive");
  EXPECT_EQ(see.within, 250ms);
  EXPECT_THAT(see.flags,
              ElementsAre("\\Seen", "\\Flagged", "\\Answered", "\\Deleted", "\\Draft", "$Forwarded", "\\Seen"));
  EXPECT_THAT(step("phone: {see: mail, flags: seen}").get<Await>().flags, ElementsAre("\\Seen"));
  EXPECT_EQ(step("phone: {see: mail}").get<Await>().mailbox, "") << "the open one";
  const auto lose = step("phone: {lose: mail, in: Trash}").get<Await>();
  EXPECT_EQ(lose.mailbox, "Trash");
  EXPECT_EQ(lose.within, 10s);
}

TEST(Language, ReadFlagAndDelete) {
  EXPECT_EQ(step("phone: {read: mail.1}").verb, Verb::read);
  EXPECT_THAT(step("phone: {flag: mail}").get<Flag>().flags, ElementsAre("\\Flagged"));
  EXPECT_THAT(step("phone: {flag: mail, with: [answered, $Junk]}").get<Flag>().flags,
              ElementsAre("\\Answered", "$Junk"));
  EXPECT_THAT(step("phone: {unflag: mail, with: [seen]}").get<Flag>().flags, ElementsAre("\\Seen"));
  EXPECT_EQ(step("phone: {delete: mail}").get<Delete>().how, How::expunge);
  EXPECT_EQ(step("phone: {delete: mail, how: trash}").get<Delete>().how, How::trash);
  EXPECT_EQ(step("phone: {delete: mail, how: flag}").get<Delete>().how, How::flag);
  EXPECT_EQ(step("pc: {delete: mail.1}").verb, Verb::remove);
  EXPECT_EQ(step("phone: {expunge: Trash}").get<OfMailbox>().mailbox, "Trash");
}

TEST(Language, MoveCopyAndSave) {
  EXPECT_EQ(step("phone: {move: mail, to: Archiv/2027}").get<Move>().to, "Archiv/2027");
  EXPECT_EQ(step("phone: {copy: mail, to: Entw\xC3\xBCrfe}").get<Move>().to, "Entw\xC3\xBCrfe");
  const auto save = step("phone: {save: drafts, to: Drafts, count: 2, size: 1kB, kind: office}").get<Save>();
  EXPECT_EQ(save.set, "drafts");
  EXPECT_EQ(save.to, "Drafts");
  EXPECT_EQ(save.count, 2);
  EXPECT_EQ(save.size, 1000U);
  EXPECT_EQ(step("phone: {save: drafts}").get<Save>().to, "INBOX");
}

TEST(Language, Mailboxes) {
  const std::pair<const char*, Verb> verbs[] = {{"open", Verb::open},           {"examine", Verb::examine},
                                                {"idle", Verb::idle},           {"create", Verb::create},
                                                {"quota", Verb::quota},         {"remove", Verb::remove_mailbox},
                                                {"subscribe", Verb::subscribe}, {"expunge", Verb::expunge}};
  for (const auto& [word, verb] : verbs) {
    const auto one = step(std::string("phone: {") + word + ": yes}");
    EXPECT_EQ(one.verb, verb);
    EXPECT_EQ(one.get<OfMailbox>().mailbox, "yes") << "a word until a field asks for a flag";
  }
  const auto rename = step("phone: {rename: 12:30, to: 2027-03-01}").get<Rename>();
  EXPECT_EQ(rename.mailbox, "12:30");
  EXPECT_EQ(rename.to, "2027-03-01");
  EXPECT_EQ(step("phone: quota").get<OfMailbox>().mailbox, "INBOX");
  EXPECT_EQ(step("phone: idle").get<OfMailbox>().mailbox, "");
}

TEST(Language, Search) {
  const auto one = step("phone: {search: UNSEEN SUBJECT report, finds: mail.1-2, in: Archive}").get<Search>();
  EXPECT_EQ(one.keys, "UNSEEN SUBJECT report");
  EXPECT_EQ(one.finds->text(), "mail.1-2");
  EXPECT_EQ(one.mailbox, "Archive");
  EXPECT_FALSE(step("phone: {search: DELETED, finds: nothing}").get<Search>().finds);
}

TEST(Language, GoOfflineAndOnline) {
  EXPECT_FALSE(step("phone: {go: offline}").get<Go>().online);
  EXPECT_EQ(step("phone: {go: online}").get<Go>().resync, Resync::full);
  EXPECT_EQ(step("phone: {go: online, resync: condstore}").get<Go>().resync, Resync::condstore);
}

TEST(Language, Download) {
  EXPECT_EQ(step("pc: {download: new}").get<Download>().which, Download::Which::fresh);
  const auto all = step("pc: {download: all, as: got, after: delete}").get<Download>();
  EXPECT_EQ(all.which, Download::Which::all);
  EXPECT_EQ(all.as, "got");
  EXPECT_EQ(all.after->policy, AfterDownload::Policy::remove);
  const auto some = step("old: {download: mail.1, after: {delete_after: 2d}}").get<Download>();
  EXPECT_EQ(some.messages.text(), "mail.1");
  EXPECT_EQ(some.after->age, 48h);
  EXPECT_EQ(steps("  - pc: {download: all, as: got}\n  - phone: {see: got.7}\n").size(), 2U)
      << "how many there are is not known before the run";
}

TEST(Language, Quit) {
  EXPECT_EQ(step("pc: {quit: now, cut: after-reply}").get<Quit>().cut.when, Cut::When::after_reply);
  EXPECT_EQ(step("pc: {quit: now, cut: after 0 bytes}").get<Quit>().cut.when, Cut::When::after_bytes);
}

TEST(Language, Judge) {
  const auto fate = step("judge: {fate: mail.1, is: expired-by-client-policy, by: old}").get<HasFate>();
  EXPECT_EQ(fate.is, Fate::expired_by_client_policy);
  EXPECT_EQ(fate.by, 6U);
  for (const char* word :
       {"present", "moved", "refused", "deferred", "queued", "bounced", "suppressed-duplicate", "lost", "unknown"})
    EXPECT_EQ(name(step("judge: {fate: mail, is: " + std::string(word) + "}").get<HasFate>().is), word);
  const auto count = step("judge: {count: 0, in: Trash, of: bob}").get<HasCount>();
  EXPECT_EQ(count.count, 0);
  EXPECT_EQ(count.mailbox, "Trash");
  EXPECT_EQ(count.account, 1U);
  const auto agree = step("judge: {agree: [phone, web, pc]}").get<Agree>();
  EXPECT_THAT(agree.devices, ElementsAre(2U, 3U, 5U));
  EXPECT_EQ(agree.mailbox, "INBOX");
  EXPECT_EQ(step("judge: {intact: mail}").verb, Verb::intact);
  EXPECT_EQ(step("judge: {usage: bob}").get<Usage>().account, 1U);
}

TEST(Step, AVerbTakesItsOwnAndWhatItSharesWithOthers) {
  Step step(Verb::retry);
  EXPECT_NE(step.maybe<Retry>(), nullptr);
  EXPECT_NE(step.maybe<OfMessages>(), nullptr);
  EXPECT_NE(step.maybe<Sending>(), nullptr);
  EXPECT_EQ(step.maybe<NewMessages>(), nullptr) << "a retry makes none";
  EXPECT_THROW(step.get<Deliver>(), std::bad_variant_access);
  step.get<Sending>().status = "4.2.2";
  EXPECT_EQ(step.get<Retry>().status, "4.2.2");
  step.become(Verb::quota);
  EXPECT_EQ(step.verb, Verb::quota);
  EXPECT_EQ(step.get<OfMailbox>().mailbox, "INBOX");
  EXPECT_EQ(step.maybe<Sending>(), nullptr);
}

/// What stands behind a verb needs a place in what the verb takes.
TEST(Step, EveryVerbOfTheGrammarHasAPlaceForWhatStandsBehindIt) {
  for (Actor who : {kDeliverer, kImap, kPop3, kJudge, kAdmin})
    for (const auto& word : verbs_of(who)) {
      const VerbRule& rule = *find_verb(word, who);
      const Step step(rule.verb);
      const bool of_messages = step.maybe<OfMessages>() != nullptr, makes = step.maybe<NewMessages>() != nullptr;
      EXPECT_EQ(of_messages, rule.object == Object::set || rule.object == Object::which) << word;
      EXPECT_EQ(makes, rule.object == Object::new_set) << word;
      EXPECT_EQ(step.maybe<OfMailbox>() != nullptr || step.maybe<Rename>() != nullptr,
                rule.object == Object::mailbox || rule.object == Object::maybe_mailbox)
          << word;
      EXPECT_EQ(step.maybe<LetPass>() != nullptr, rule.object == Object::duration) << word;
    }
}

TEST(Language, ThingsMadeTogetherAreThereAfterwards) {
  EXPECT_EQ(steps("  - together:\n      - mta: {deliver: a, to: alice}\n      - relay: {deliver: b, to: alice}\n"
                  "  - phone: {see: a}\n  - phone: {see: b}\n")
                .size(),
            3U);
}

TEST(Language, OneAccountNeedNotBeNamed) {
  const auto story = parse(
                         "id: test.one\nneeds: [delivery]\naccounts: [alice]\ndevices: {mta: {delivers: "
                         "any}}\nsteps:\n  - mta: {deliver: mail}\n"
                         "  - judge: {count: 1}\n",
                         "f.yaml")
                         .scenarios.at(0);
  EXPECT_THAT(story.steps[0].get<Deliver>().to, ElementsAre(0U));
  EXPECT_EQ(story.steps[1].get<HasCount>().account, 0U);
}

/// Each actor's words are its own: an option never reads as one of its verbs. (The judge counts; a delivery has a
/// count.)
TEST(Language, NoOptionSharesAVerbsNameWithinOneActor) {
  for (Actor who : {kDeliverer, kImap, kPop3, kJudge}) {
    std::set<std::string> options;
    for (const auto& word : verbs_of(who))
      for (const auto& option : split_words(find_verb(word, who)->options)) options.insert(option);
    for (const auto& option : options) EXPECT_EQ(find_verb(option, who), nullptr) << option;
  }
}

TEST(Language, TheHashIsOfTheBytes) {
  const auto one = parse(kHead, "f.yaml").scenarios.at(0).hash;
  EXPECT_EQ(parse(kHead, "g.yaml").scenarios.at(0).hash, one);
  EXPECT_NE(parse(std::string(kHead) + "\n", "f.yaml").scenarios.at(0).hash, one);
}

}  // namespace
}  // namespace mailproof::scenario
