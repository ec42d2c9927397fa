#include "scenario/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace mailproof::scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kRoot = "scenarios";

std::vector<std::string> messages(const std::vector<Problem>& problems) {
  std::vector<std::string> out;
  for (const auto& problem : problems) out.push_back(problem.message());
  return out;
}

std::vector<std::string> wrong_with(const std::string& line) {
  return messages(
      parse_plan("plan: p\naccounts: 10\nfor: 10s\nmix: {thunderbird: 100%}\n" + line, "p.yaml", kRoot).problems);
}

TEST(Plan, SaysCustomersDevicesMailAndHowItGrows) {
  const auto loaded = parse_plan(
      "plan: morning\naccounts: 200\nramp: 1m\nfor: 4m\npace: 5\n"
      "mix: [{devices: [thunderbird, ios-mail], share: 40%}, {devices: pop-delete, share: 60%}]\n"
      "arrivals: {deliveries: 90/m, spacing: poisson, sizes: {4KiB: 90%, 1MiB: 10%}, via: smtp, connections: 7}\n"
      "also: [{story: sync.read-on-phone-read-everywhere, rate: 2/s, copies: 3}]\n",
      "morning.yaml", kRoot);
  ASSERT_THAT(messages(loaded.problems), IsEmpty());
  const Plan& plan = loaded.plan;
  EXPECT_EQ(plan.accounts_needed(), 200U);
  ASSERT_THAT(plan.phases, SizeIs(2));
  EXPECT_EQ(plan.phases[0].from, 0);
  EXPECT_EQ(plan.phases[0].to, 1);
  EXPECT_EQ(plan.length(), std::chrono::minutes(5));
  ASSERT_THAT(plan.mix, SizeIs(2));
  EXPECT_THAT(plan.mix[0].devices, ElementsAre("thunderbird", "ios-mail"));
  EXPECT_THAT(plan.profiles, SizeIs(3));
  EXPECT_DOUBLE_EQ(plan.deliveries.rate, 1.5);
  EXPECT_EQ(plan.deliveries.spacing, Spacing::poisson);
  EXPECT_EQ(plan.deliveries.via, Way::smtp);
  EXPECT_EQ(plan.deliveries.sizes[1].least, 1U << 20);
  EXPECT_EQ(plan.also[0].copies, 3U);
}

TEST(Plan, StoriesBesideArePlayedByUsersWhoThink) {
  const auto loaded = parse_plan(
      "plan: p\naccounts: 1\nfor: 1s\nmix: {thunderbird: 100%}\nresume_tls: no\n"
      "also: [{story: a.b, users: 7, think: 2s..5s}, {story: a.c, users: 1, think: exponential 3s}, "
      "{story: a.d, users: 1, think: 0s}, {story: a.e}]\n",
      "p.yaml", kRoot);
  ASSERT_THAT(messages(loaded.problems), IsEmpty());
  const auto& also = loaded.plan.also;
  ASSERT_THAT(also, SizeIs(4));
  EXPECT_EQ(also[0].copies, 7U);
  EXPECT_EQ(also[0].rate, 0);
  EXPECT_EQ(also[0].think->least, std::chrono::seconds(2));
  EXPECT_EQ(also[0].think->most, std::chrono::seconds(5));
  EXPECT_TRUE(also[1].think->exponential);
  EXPECT_EQ(also[2].think->most, Duration{});
  EXPECT_FALSE(also[3].think);
  EXPECT_EQ(loaded.plan.resume_tls, false);
}

TEST(Plan, WhatIsWrongWithUsersIsNamed) {
  EXPECT_THAT(wrong_with("also: [{story: a.b, users: 7}]"),
              ElementsAre(HasSubstr("p.yaml:5:21: 'users'; expected also")));
  EXPECT_THAT(wrong_with("also: [{story: a.b, think: 7s}]"), ElementsAre(HasSubstr("expected think: beside users:")));
  EXPECT_THAT(
      wrong_with("also: [{story: a.b, users: 7, think: 5s..2s}]"),
      ElementsAre(HasSubstr("p.yaml:5:38: '5s..2s'; expected a thinking time like 2s, 2s..5s or exponential 3s")));
  EXPECT_THAT(wrong_with("also: [{story: a.b, users: 7, think: 2s, rate: 1/s, copies: 2}]"), SizeIs(2));
  EXPECT_THAT(wrong_with("also: [{story: a.b, users: 7, think: 2s}, {story: a.b}]"),
              ElementsAre(HasSubstr("a.b stands here already")));
}

TEST(Think, IsDrawnAsItIsSaid) {
  Rng rng(7);
  const auto fixed = parse_think("2s"), between = parse_think("2s..5s"), random = parse_think("exponential 3s");
  ASSERT_TRUE(fixed && between && random);
  Duration sum{}, longest{};
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_EQ(fixed->drawn(rng), std::chrono::seconds(2));
    const Duration one = between->drawn(rng);
    EXPECT_TRUE(one >= std::chrono::seconds(2) && one <= std::chrono::seconds(5));
    const Duration other = random->drawn(rng);
    EXPECT_GE(other, Duration{});
    longest = std::max(longest, other);
    sum += other;
  }
  EXPECT_NEAR(std::chrono::duration<double>(sum).count() / 10'000, 3, 0.15);
  EXPECT_GT(longest, std::chrono::seconds(15));
  for (const char* wrong :
       {"", "soon", "2s..", "..2s", "exponential", "exponential 2s..5s", "25h", "2s ..5s", "5s..2s"})
    EXPECT_FALSE(parse_think(wrong)) << wrong;
}

TEST(Plan, PhasesGoFromTheHeightBefore) {
  const auto loaded = parse_plan(
      "plan: p\naccounts: 100\nmix: {thunderbird: 100%}\nphases:\n  - {ramp: 10s, to: 50%}\n  - {steady: 5s}\n"
      "  - {spike: 150%, for: 2s}\n  - {steady: 3s}\n  - {steps: [75%, 100%], each: 1s}\n",
      "p.yaml", kRoot);
  ASSERT_THAT(messages(loaded.problems), IsEmpty());
  std::vector<double> heights;
  for (const auto& phase : loaded.plan.phases) heights.insert(heights.end(), {phase.from, phase.to});
  EXPECT_THAT(heights, ElementsAre(0, 0.5, 0.5, 0.5, 1.5, 1.5, 0.5, 0.5, 0.75, 0.75, 1, 1));
  EXPECT_EQ(loaded.plan.accounts_needed(), 150U);
  EXPECT_EQ(loaded.plan.length(), std::chrono::seconds(22));
}

TEST(Plan, SloLinesAreReadByTheirUnits) {
  const auto loaded = parse_plan(
      "plan: p\naccounts: 1\nfor: 1s\nmix: {thunderbird: 100%}\n"
      "slo: [imap.fetch p99.9 < 250ms, imap.* errors <= 1%, errors < 0.1%, lost = 0, lmtp.deliver rate >= 10/s]\n",
      "p.yaml", kRoot);
  ASSERT_THAT(messages(loaded.problems), IsEmpty());
  const auto& slo = loaded.plan.slo;
  ASSERT_THAT(slo, SizeIs(5));
  EXPECT_EQ(slo[0].operation, "imap.fetch");
  EXPECT_DOUBLE_EQ(slo[0].percent, 99.9);
  EXPECT_DOUBLE_EQ(slo[0].limit, 0.25);
  EXPECT_EQ(slo[1].comparison, Comparison::at_most);
  EXPECT_DOUBLE_EQ(slo[1].limit, 0.01);
  EXPECT_EQ(slo[2].operation, "");
  EXPECT_EQ(slo[3].measure, Measure::count);
  EXPECT_DOUBLE_EQ(slo[4].limit, 10);
  EXPECT_TRUE(names_operation(slo[1].operation, "imap.select"));
  EXPECT_FALSE(names_operation(slo[1].operation, "imap.login")) << "a part of what imap.connect tells";
  EXPECT_FALSE(names_operation(slo[1].operation, "pop3.login"));
  EXPECT_FALSE(names_operation("delivery-to-visible", "delivery-to-visible.imap"));
}

TEST(Plan, WhatIsWrongIsSaidWithItsPlaceAndTheNearestWord) {
  EXPECT_THAT(wrong_with("acounts: 3\n"),
              ElementsAre(AllOf(HasSubstr("p.yaml:5:1: 'acounts'"), HasSubstr("did you mean 'accounts'?"))));
  EXPECT_THAT(wrong_with("slo: imap.fech p99 < 250ms\n"),
              ElementsAre(AllOf(HasSubstr("p.yaml:5:6: 'imap.fech'"), HasSubstr("did you mean 'imap.fetch'?"))));
  EXPECT_THAT(wrong_with("slo: imap.fetch p99 < 5%\n"),
              ElementsAre("p.yaml:5:23: '5%'; expected a time like 250ms or 5s"));
  EXPECT_THAT(wrong_with("abort_when: lost > 0\n"), ElementsAre(HasSubstr("p.yaml:5:13: 'lost > 0'; expected errors")));
  EXPECT_THAT(wrong_with("arrivals: {deliveries: 20}\n"), ElementsAre(HasSubstr("p.yaml:5:24: '20'; expected a rate")));
  EXPECT_THAT(wrong_with("phases: [{steady: 5s}]\n"),
              ElementsAre(HasSubstr("p.yaml:3:1: 'for'; expected phases: alone")));
}

TEST(Plan, SharesAddUpAndDevicesExist) {
  const auto wrong = [](const std::string& mix) {
    return messages(parse_plan("plan: p\naccounts: 1\nfor: 1s\nmix: " + mix + "\n", "p.yaml", kRoot).problems);
  };
  EXPECT_THAT(wrong("{thunderbird: 50%, pop-delete: 60%}"),
              ElementsAre("p.yaml:4:1: 'mix'; expected shares that add up to 100%; these make 110%"));
  EXPECT_THAT(wrong("{thunderbrd: 100%}"),
              ElementsAre(AllOf(HasSubstr("p.yaml:4:7: 'thunderbrd'"), HasSubstr("did you mean 'thunderbird'?"))));
}

/// Each shipped profile is in order, named as its file, and says for every section where it is from.
TEST(Profile, AllThatAreShippedAreReadable) {
  const auto names = profile_names(kRoot);
  ASSERT_GE(names.size(), 13U);
  for (const auto& name : names) {
    const auto loaded = load_profile(profile_path(kRoot, name));
    EXPECT_THAT(messages(loaded.problems), IsEmpty());
    EXPECT_EQ(loaded.profile.name, name);
    EXPECT_GE(loaded.profile.sources.size(), 2U) << name;
  }
}

TEST(Profile, ASectionWithoutASourceIsRefused) {
  const auto loaded = parse_profile(
      "profile: p\ntitle: t\nspeaks: pop3\nconnection: {stays: no, source: s}\npoll: {every: 5m, steps: [stat, {retr: "
      "new}]}\n",
      "p.yaml");
  EXPECT_THAT(messages(loaded.problems), ElementsAre(HasSubstr("p.yaml:5:1: 'poll'; expected also source:")));
}

TEST(Profile, StepsOfTheOtherProtocolAreRefused) {
  const auto loaded = parse_profile(
      "profile: p\ntitle: t\nspeaks: pop3\nconnection: {stays: no, source: s}\n"
      "poll: {every: 5m, source: s, steps: [stat, {fetch: (FLAGS)}]}\n",
      "p.yaml");
  EXPECT_THAT(
      messages(loaded.problems),
      ElementsAre(HasSubstr("'fetch'; expected stat, list, uidl, top, retr, dele, noop, last, each or end_if_empty")));
}

TEST(Profile, AClientThatNeverLearnsOfMailIsRefused) {
  const auto loaded =
      parse_profile("profile: p\ntitle: t\nspeaks: imap\nconnection: {stays: yes, source: s}\n", "p.yaml");
  EXPECT_THAT(messages(loaded.problems), ElementsAre(HasSubstr("also idle: or poll:")));
}

/// What recordings of real clients need a profile to say.
TEST(Profile, SaysWhatRecordedClientsDo) {
  const auto loaded = parse_profile(
      "profile: p\ntitle: t\nspeaks: imap\n"
      "connection: {stays: yes, mechanism: [CRAM-MD5, LOGIN], capabilities: before-login, source: s}\n"
      "login: {steps: [namespace, {enable: UTF8=ACCEPT, needs: ENABLE}, {list: \"\"}, list], source: s}\n"
      "beside: {connections: 2, steps: [id], source: s}\n"
      "poll: {every: 5m, steps: [{fetch: \"BODY.PEEK[]\", of: unread, singly: yes}], source: s}\n"
      "news: {steps: [{noop: yes, when: told}, {fetch: (FLAGS), of: new, by: number}], source: s}\n"
      "read: {share: 10%, after: 1s, steps: [{store: \\Seen, silent: no}], source: s}\n"
      "leave: {steps: [{check: yes, when: changed}, close], logout: no, source: s}\n"
      "send: {every: 30m, size: 8KiB, save_to: Sent, source: s}\n",
      "p.yaml");
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front().message();
  const Profile& profile = loaded.profile;
  EXPECT_THAT(profile.mechanisms, ElementsAre("CRAM-MD5", "LOGIN"));
  EXPECT_EQ(profile.capabilities, CapabilityAsks::before_login);
  EXPECT_TRUE(profile.asks_namespace());
  EXPECT_EQ(profile.login[1].needs, "ENABLE");
  EXPECT_EQ(profile.login[2].text, "");
  EXPECT_EQ(profile.login[3].text, "*");
  ASSERT_EQ(profile.beside.size(), 2U);
  EXPECT_EQ(profile.beside[1].login.front().ask, Ask::id);
  EXPECT_TRUE(profile.poll.front().singly);
  EXPECT_EQ(profile.news[0].when, ProfileStep::When::told);
  EXPECT_TRUE(profile.news[1].by_number);
  EXPECT_FALSE(profile.reading.front().silent);
  EXPECT_EQ(profile.leaving[0].when, ProfileStep::When::changed);
  EXPECT_FALSE(profile.logout);
  ASSERT_TRUE(profile.send.has_value());
  EXPECT_EQ(profile.send->save_to, "Sent");
  EXPECT_EQ(profile.send->least, 8192U);
}

TEST(Profile, WhatCannotBeIsSaidWithItsPlace) {
  const auto wrong = [](const std::string& more, const std::string& speaks = "imap") {
    const auto loaded = parse_profile("profile: p\ntitle: t\nspeaks: " + speaks +
                                          "\nconnection: {stays: no, source: s}\npoll: {every: 5m, source: s}\n" + more,
                                      "p.yaml");
    return loaded.problems.empty() ? std::string() : loaded.problems.front().message();
  };
  EXPECT_THAT(wrong("beside: {steps: [id], source: s}\n"), HasSubstr("a client whose connection stays"));
  EXPECT_THAT(wrong("send: {source: s}\n"), HasSubstr("also every:"));
  EXPECT_THAT(wrong("send: {every: 5m, save_to: INBOX, source: s}\n"), HasSubstr("a mailbox of its own"));
  EXPECT_THAT(wrong("news: {steps: [{fetch: (FLAGS), of: all, by: number}], source: s}\n"), HasSubstr("of: new"));
  EXPECT_THAT(wrong("news: {steps: [{fetch: (FLAGS), of: all, singly: yes}], source: s}\n"), HasSubstr("of: unread"));
  EXPECT_THAT(wrong("leave: {steps: [close], source: s}\n", "pop3"), HasSubstr("leave"));
}

TEST(Profile, AMessageAfterTheOther) {
  const auto read = [](const std::string& step) {
    return parse_profile(
        "profile: p\ntitle: t\nspeaks: pop3\nconnection: {capabilities: never, source: s}\n"
        "poll: {every: 5m, steps: [stat, end_if_empty, last, " +
            step + "], source: s}\n",
        "p.yaml");
  };
  const auto loaded = read("{each: new, steps: [list, {top: new, lines: 99999999}, dele]}");
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.front().message();
  EXPECT_EQ(loaded.profile.capabilities, CapabilityAsks::never);
  ASSERT_EQ(loaded.profile.poll.size(), 4U);
  EXPECT_EQ(loaded.profile.poll[3].steps.size(), 3U);
  EXPECT_EQ(loaded.profile.poll[3].steps[1].count, 99'999'999U);
  EXPECT_FALSE(read("{each: some, steps: [retr]}").problems.empty());
  EXPECT_FALSE(read("{each: new}").problems.empty());
  EXPECT_FALSE(read("{each: new, steps: [stat]}").problems.empty());
}

}  // namespace
}  // namespace mailproof::scenario
