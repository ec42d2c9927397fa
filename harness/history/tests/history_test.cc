#include "history/history.h"

#include <gtest/gtest.h>

#include "history/jsonl.h"

namespace mailproof::history {
namespace {

TEST(Numbers, GoThereAndBack) {
  EXPECT_EQ(format_numbers({3, 1, 2, 7, 9, 10}), "1-3,7,9-10");
  EXPECT_EQ(parse_numbers("1-3,7,9-10"), (std::vector<std::uint32_t>{1, 2, 3, 7, 9, 10}));
  EXPECT_EQ(format_uids({5, 6, 8}), "5:6,8");
  EXPECT_EQ(parse_uids("5:6,8"), (std::vector<std::uint32_t>{5, 6, 8}));
  EXPECT_EQ(parse_uids(""), std::vector<std::uint32_t>{});
}

TEST(Numbers, AHugeRangeIsBounded) { EXPECT_EQ(parse_uids("1:4294967295").size(), 1'000'000U); }

TEST(History, EventsGetTheirPlaceAndTellListeners) {
  History history;
  std::vector<std::uint32_t> heard;
  history.listen([&](const Event& event) { heard.push_back(event.index); });
  Event invoke;
  invoke.type = Type::invoke;
  invoke.what = What::noop;
  EXPECT_EQ(history.append(invoke).command, 1U);
  Event ok;
  ok.type = Type::ok;
  ok.command = 1;
  EXPECT_EQ(history.append(ok).index, 2U);
  EXPECT_EQ(heard, (std::vector<std::uint32_t>{1, 2}));
}

TEST(History, AnEventBelongsToItsOwnAccountOrItsSessions) {
  History history;
  history.info.accounts = {{"alice", "a", "a@x", {}}, {"bob", "b", "b@x", {}}};
  history.info.devices = {{"phone", DeviceKind::imap, 2, ""}};
  const auto phone = history.add_session({"phone#1", 1, Protocol::imap, 2, 0, ""});
  const auto audit = history.add_session({"audit#1", 0, Protocol::imap, 1, 1, ""});
  Event e;
  EXPECT_EQ(history.account_of(e), 0U);
  e.session = phone;
  EXPECT_EQ(history.account_of(e), 2U);
  EXPECT_EQ(history.device_name(e), "phone");
  e.account = 1;
  EXPECT_EQ(history.account_of(e), 1U);
  e.session = audit;
  EXPECT_EQ(history.device_name(e), "audit");
}

TEST(Jsonl, LeavesOutWhatHoldsNothingAndEscapesWhatServersSend) {
  Event e;
  e.index = 3;
  e.at = Time(std::chrono::nanoseconds(1500));
  e.type = Type::obs;
  e.what = What::deviation;
  e.text = "quote \" backslash \\ newline \n nul \x01 latin \xe4 euro \xe2\x82\xac";
  std::string line;
  write_event(e, line);
  EXPECT_EQ(line,
            "{\"event\":{\"i\":3,\"t\":1500,\"type\":\"obs\",\"what\":\"deviation\","
            "\"text\":\"quote \\\" backslash \\\\ newline \\u000a nul \\u0001 latin \\ufffd euro \xe2\x82\xac\"}}");
}

TEST(Jsonl, SaysHowManyHistoriesThereAreAndWhereEachEnds) {
  std::string line;
  write_run(236, line);
  EXPECT_EQ(line, R"({"run":{"histories":236}})");
  write_run(std::nullopt, line = "");
  EXPECT_EQ(line, R"({"run":{}})");
  History history;
  history.append({});
  const std::string all = write_all(history, std::chrono::milliseconds(5));
  EXPECT_TRUE(all.ends_with("\n{\"end\":{\"events\":1,\"took\":5000000}}\n")) << all;
}

TEST(Jsonl, OverlongAndTornUtf8IsReplaced) {
  for (const char* bad : {"\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    std::string out;
    write_json_string(bad, out);
    EXPECT_EQ(out.find(bad), std::string::npos);
  }
}

}  // namespace
}  // namespace mailproof::history
