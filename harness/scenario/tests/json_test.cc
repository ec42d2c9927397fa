#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "scenario/scenario.h"
#include "scenario/yaml/json_writer.h"

namespace mailproof::scenario {
namespace {

TEST(Json, WhatWasUnderstoodReadsBack) {
  const auto loaded = parse(
      "id: test.json\ntitle: \"tab\\t quote\\\" back\\\\ \\u00e9 line\\n bell\\a\"\nneeds: [imap, pop3, delivery, "
      "quota, tls]\n"
      "accounts: {alice: {quota: 64KiB}}\n"
      "devices:\n  mta: {delivers: any, from: alice}\n  phone: {imap: alice, idle: INBOX, tls: implicit}\n  pc: {pop3: "
      "alice, after_download: {delete_after: 14 days}}\n"
      "steps:\n  - mta: {deliver: mail, size: 8KiB, until: refused, at_most: 5, settle: 1s}\n"
      "  - together:\n      - phone: {see: mail.1, flags: [seen], within: 1m}\n      - pc: {quit: now, cut: after 7 "
      "bytes}\n"
      "  - judge: {fate: mail, is: lost, by: pc, over: pop3, copy_on: pc}\n  - judge: {agree: [phone, pc]}\n  - phone: "
      "{go: online, resync: qresync}\n",
      "f.yaml");
  for (const auto& problem : loaded.problems) ADD_FAILURE() << problem.message();
  ASSERT_EQ(loaded.scenarios.size(), 1U);
  const auto json = nlohmann::json::parse(to_json(loaded.scenarios[0]));
  EXPECT_EQ(json["id"], "test.json");
  EXPECT_EQ(json["title"], "tab\t quote\" back\\ \xC3\xA9 line\n bell\a");
  EXPECT_EQ(json["refs"], nlohmann::json::array());
  EXPECT_EQ(json["needs"][1], "pop3");
  EXPECT_EQ(json["accounts"][0], nlohmann::json({{"name", "alice"}, {"quota", 65536}}));
  EXPECT_EQ(json["devices"][0], nlohmann::json({{"name", "mta"}, {"delivers", "any"}, {"from", "alice"}}));
  EXPECT_EQ(json["devices"][1],
            nlohmann::json({{"name", "phone"}, {"imap", "alice"}, {"idle", "INBOX"}, {"tls", "implicit"}}));
  EXPECT_EQ(json["devices"][2]["after_download"], "delete after 14d");
  const auto& steps = json["steps"];
  ASSERT_EQ(steps.size(), 5U);
  EXPECT_EQ(steps[0]["verb"], "deliver");
  EXPECT_EQ(steps[0]["size"], 8192);
  EXPECT_EQ(steps[0]["at_most"], 5);
  EXPECT_EQ(steps[1]["together"][0]["flags"][0], "\\Seen");
  EXPECT_EQ(steps[1]["together"][0]["messages"], "mail.1");
  EXPECT_EQ(steps[1]["together"][1]["cut"], "after 7 bytes");
  EXPECT_EQ(steps[2]["by"], "pc");
  EXPECT_EQ(steps[2]["over"], "pop3");
  EXPECT_EQ(steps[3]["devices"], nlohmann::json({"phone", "pc"}));
  EXPECT_EQ(steps[4]["resync"], "qresync");
  EXPECT_EQ(steps[4]["line"], 16);
}

TEST(Json, EmptyThingsAndNumbers) {
  JsonWriter json;
  json.begin_object()
      .key("a")
      .begin_array()
      .end_array()
      .key("b")
      .begin_object()
      .end_object()
      .key("c")
      .number(-3)
      .key("d")
      .flag(false)
      .end_object();
  EXPECT_EQ(json.take(), "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": -3,\n  \"d\": false\n}");
}

}  // namespace
}  // namespace mailproof::scenario
