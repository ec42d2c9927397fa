// Somebody else's mail comes in at every moment of a check, between any look and any line behind it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "judge/judge.h"
#include "play/tests/foreign_rig.h"

namespace mailproof::play {
namespace {

using history::What;
using testing::IsEmpty;

std::string letter() {
  return "From: Bob <bob@example.org>\r\nTo: alice@example.test\r\nSubject: dinner\r\n"
         "Message-ID: <1@example.org>\r\nDate: Wed, 25 Nov 2026 09:12:40 +0000\r\n\r\n" +
         std::string(kPrivate) + "\r\n";
}

class Arrival final : public Alarm {
 public:
  Arrival(SimRig& rig, ForeignMail& mail, std::optional<Time> at, bool deleted = false)
      : rig_(rig), mail_(mail), deleted_(deleted) {
    if (at) rig.network->set_alarm(*this, *at);
  }
  ~Arrival() override { rig_.network->set_alarm(*this, std::nullopt); }
  void ring(Time) override { mail_.put(rig_.scenario.accounts.front().name, letter(), deleted_); }

 private:
  SimRig& rig_;
  ForeignMail& mail_;
  bool deleted_;
};

/// A check of three messages that is played on INBOX, once for each moment.
struct Check {
  explicit Check(const std::string& lines, std::optional<Time> at = std::nullopt)
      : rig(scenario::parse("id: imap.9051-6\ntitle: a test\nneeds: [imap]\nmailbox: {messages: 3}\nchecks:\n"
                            "  - id: one\n    level: MUST\n    title: a test\n    talk: |\n      connect: imap "
                            "selected\n" +
                                lines,
                            "play.yaml")),
        mail(rig),
        arrival(rig, mail, at) {
    rig.play();
  }
  judge::Verdict verdict() const { return judge::judge(rig.player->history(), false).verdict; }
  std::string sent() const {
    std::string out;
    for (const auto& log : rig.player->logs()) out += log->all();
    return out;
  }
  SimRig rig;
  ForeignMail mail;
  Arrival arrival;
};

/// Where something happened while its lines were played, and three moments between any two of these.
std::set<Time> moments(const SimRig& rig) {
  const auto& events = rig.player->history().events();
  const auto of_a_line = [](const history::Event& e) { return e.what == What::talk; };
  const auto first = std::find_if(events.begin(), events.end(), of_a_line);
  const auto last = std::find_if(events.rbegin(), events.rend(), of_a_line).base();
  std::set<Time> out;
  Time before = first == events.begin() ? first->at : std::prev(first)->at;
  for (auto e = first; e != last; ++e) {
    for (int quarter = 1; quarter <= 4; ++quarter) out.insert(before + (e->at - before) * quarter / 4);
    before = e->at;
  }
  return out;
}

std::string in(const std::string& lines) {
  std::string out;
  for (std::size_t from = 0, end = 0; from < lines.size(); from = end + 1) {
    end = std::min(lines.find('\n', from), lines.size());
    out += "      " + lines.substr(from, end - from) + "\n";
  }
  return out;
}

const std::string kTaking[] = {
    "C: STORE 1:* +FLAGS (\\Deleted)\nS: OK\nC: EXPUNGE\nS: OK",
    "C: UID STORE 1:* +FLAGS (\\Deleted)\nS: OK\nC: CLOSE\nS: OK",
    "C: STORE 1:3 +FLAGS (\\Deleted)\nC: EXPUNGE\nS: OK\nS: OK",
    "C: FETCH 1:* (BODY[])\nS: OK",
    "C: NOOP\nS: OK\nC: UID FETCH 1:* (RFC822.TEXT)\nS: OK",
    "C: NOOP\nC: FETCH * (BODY[TEXT])\nS: OK\nS: OK",
    "C: CREATE ${box}\nS: OK\nC: NOOP\nS: OK\nC: UID MOVE 1:* ${box}\nS: OK",
    "C: CREATE ${box}\nS: OK\nC: COPY 1:* ${box}\nS: OK",
    "2> connect: imap selected\n2> C: STORE 1 +FLAGS (\\Deleted)\n2> S: OK\n2> C: EXPUNGE\n2> S: OK\nC: NOOP\nS: "
    "OK\nC: STORE 1:* +FLAGS (\\Seen)\nS: OK",
    "C!: a1 STORE 1:*| +FLAGS (\\\\Seen)|\\r\\n\nS: a1 OK",
    "C: SELECT INBOX\nC: STORE 1:2 +FLAGS (\\Seen)\nS: OK\nS: OK",
};

TEST(EveryMoment, NothingOfSomebodyElseIsTaken) {
  std::size_t runs = 0, ended = 0;
  for (const std::string& lines : kTaking) {
    const Check alone(in(lines));
    ASSERT_EQ(alone.verdict(), judge::Verdict::pass) << lines << alone.rig.problem();
    for (const Time at : moments(alone.rig)) {
      const Check beside(in(lines), at);
      ++runs;
      ended += beside.rig.problem().empty() ? 0 : 1;
      EXPECT_THAT(beside.mail.harmed(), IsEmpty()) << lines << "\nat " << format_duration(at - Time{});
      EXPECT_THAT(beside.mail.read_by(), IsEmpty()) << lines << "\nat " << format_duration(at - Time{});
      const auto result = judge::judge(beside.rig.player->history(), false);
      EXPECT_TRUE(result.verdict != judge::Verdict::fail) << lines << "\nat " << format_duration(at - Time{});
    }
  }
  EXPECT_GT(runs, 200U);
  EXPECT_GT(ended, runs / 2);
  std::printf("%zu runs, %zu ended because of it\n", runs, ended);
}

TEST(EveryMoment, AStarGoesOutAsTheNewestThatWasLookedAt) {
  const Check alone(in("C: STORE 1:* +FLAGS (\\Seen)\nS: OK"));
  EXPECT_THAT(alone.sent(), testing::HasSubstr("STORE 1:3 +FLAGS"));
  const Check harmless(in("C: FETCH 1:* (FLAGS)\nS: OK"));
  EXPECT_THAT(harmless.sent(), testing::HasSubstr("FETCH 1:* (FLAGS)"));
}

/// A story that marks and expunges, and at some moment of that somebody else's mail comes in and is marked.
struct Expunging {
  explicit Expunging(const std::string& step, std::optional<Time> at = std::nullopt)
      : rig("accounts: [alice]\ndevices:\n  mta: {delivers: lmtp}\n  phone: {imap: alice}\nsteps:\n"
            "  - mta: {deliver: mail, to: alice, count: 3}\n"
            "  - phone: {see: mail, within: 1s}\n"
            "  - phone: {delete: mail.2, how: flag}\n  - phone: " +
            step + "\n  - judge: {fate: mail.2, is: removed-by-client}\n"),
        mail(rig),
        arrival(rig, mail, at, true) {
    rig.play();
  }
  SimRig rig;
  ForeignMail mail;
  Arrival arrival;
};

/// With UIDPLUS: without it nothing lies between the look and what EXPUNGE takes.
TEST(EveryMoment, WhatSomebodyElseMarksIsNotExpunged) {
  std::size_t runs = 0;
  const auto expunges = [](const history::Event& e) { return e.what == What::expunge; };
  for (const std::string step : {"expunge", "{delete: mail.2}"}) {
    const Expunging alone(step);
    ASSERT_EQ(judge::judge(alone.rig.player->history(), false).verdict, judge::Verdict::pass) << alone.rig.problem();
    const auto& events = alone.rig.player->history().events();
    const auto last = std::find_if(events.rbegin(), events.rend(), expunges);
    ASSERT_NE(last, events.rend());
    const Time first = alone.rig.last(What::store).at;
    for (Time at = first; at <= last->at; at += (last->at - first) / 24) {
      const Expunging beside(step, at);
      ++runs;
      EXPECT_THAT(beside.mail.harmed(), IsEmpty()) << step << " at " << format_duration(at - Time{});
      EXPECT_NE(judge::judge(beside.rig.player->history(), false).verdict, judge::Verdict::fail)
          << step << " at " << format_duration(at - Time{});
    }
  }
  EXPECT_GE(runs, 48U);
}

/// What a check takes is all its own: where nobody else's mail comes in, no look ends one.
TEST(EveryMoment, NoCheckIsEndedByItsOwnMail) {
  auto loaded = scenario::load({"scenarios/conformance"}, "scenarios");
  ASSERT_THAT(loaded.problems, IsEmpty());
  std::size_t looked = 0;
  for (auto& one : loaded.scenarios) {
    const bool slow = std::find(one.tags.begin(), one.tags.end(), "slow") != one.tags.end();
    if (slow || !one.check || !one.check->talks()) continue;
    scenario::Loaded alone;
    alone.scenarios.push_back(std::move(one));
    SimRig rig(std::move(alone));
    rig.target.imap.push_back({Protocol::imap, "sim", 993, TlsMode::implicit, false, ""});
    rig.target.pop3.push_back({Protocol::pop3, "sim", 995, TlsMode::implicit, false, ""});
    rig.play();
    ++looked;
    EXPECT_THAT(rig.problem(), testing::Not(testing::AnyOf(testing::HasSubstr("somebody else"),
                                                           testing::HasSubstr("could not be looked into"),
                                                           testing::HasSubstr("takes messages again"))))
        << rig.scenario.id;
  }
  EXPECT_GT(looked, 400U);
}

}  // namespace
}  // namespace mailproof::play
