#include "report/behaviour.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mailproof::report {
namespace {

using judge::Verdict;
using testing::HasSubstr;
using testing::Not;

ScenarioResult result(std::string id, std::string title, Verdict verdict, std::optional<std::string> not_so = {},
                      std::string note = "") {
  ScenarioResult out;
  out.id = std::move(id);
  out.title = std::move(title);
  out.verdict = verdict;
  out.not_so = std::move(not_so);
  out.note = std::move(note);
  return out;
}

Behaviours seen(const std::vector<ScenarioResult>& results) {
  Behaviours out;
  out.target = "node-7";
  out.all = by_topic(results);
  return out;
}

TEST(Behaviour, TellsTheWaysThatHoldAndElseWhatCame) {
  const auto all = seen({
      result("behaviour.separator.slash", "it is a slash", Verdict::pass, "* LIST () \".\" \"\""),
      result("behaviour.separator.dot", "it is a dot", Verdict::pass),
      result("behaviour.uidl.uid", "it is the UID", Verdict::pass, "+OK 1 x\nmore"),
      result("behaviour.uidl.hex", "it is hexadecimal", Verdict::pass, "+OK 1 x\nmore"),
      result("behaviour.rename.refused", "it is refused", Verdict::not_applicable, {}, "not here"),
  });
  const std::string text = behaviours_text(all);
  EXPECT_THAT(text, HasSubstr("\nseparator  it is a dot\nuidl       another way: +OK 1 x / more\n"
                              "rename     not applicable: not here\n"));
  EXPECT_THAT(text, Not(HasSubstr("slash")));
  EXPECT_EQ(behaviours_status(all), 0);
  const auto json = nlohmann::json::parse(behaviours_json(all));
  EXPECT_EQ(json["behaviours"][0]["ways"][0]["is"], "not-so");
  EXPECT_EQ(json["behaviours"][0]["ways"][1]["is"], "held");
  EXPECT_EQ(json["behaviours"][2]["ways"][0]["text"], "not here");
}

/// What other judges say of the play is no word about the way; that it did not come to its end is.
TEST(Behaviour, WhatWasNotPlayedToItsEndIsNotKnown) {
  auto slow = result("behaviour.a.one", "one", Verdict::fail);
  slow.findings.emplace_back().severity = judge::Severity::inconclusive;
  slow.note = "silent";
  auto accused = result("behaviour.b.two", "two", Verdict::fail);
  accused.findings.emplace_back().severity = judge::Severity::fail;
  const auto all = seen({slow, accused, result("behaviour.b.three", "three", Verdict::error, {}, "broke off")});
  EXPECT_EQ(all.all[0].ways[0].is, BehaviourWay::Is::unknown);
  EXPECT_EQ(all.all[1].ways[0].is, BehaviourWay::Is::held);
  EXPECT_THAT(behaviours_text(all),
              HasSubstr("a  not known: silent\nb  two\n   not known: broke off\n\nNot all is known"));
  EXPECT_EQ(behaviours_status(all), 3);
}

}  // namespace
}  // namespace mailproof::report
