#include "archive/jsonl.h"

#include <gtest/gtest.h>

namespace mailproof::archive {
namespace {

using history::Type;
using history::What;

using history::Event;
using history::History;

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

}  // namespace
}  // namespace mailproof::archive
