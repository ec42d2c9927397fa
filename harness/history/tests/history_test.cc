#include "history/history.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace mailproof::history
