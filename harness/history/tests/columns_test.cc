#include "history/columns.h"

#include <gtest/gtest.h>

#include <string>

#include "history/names.h"

namespace mailproof::history {
namespace {

HistoryInfo two_devices() {
  HistoryInfo info;
  info.devices = {{"phone", DeviceKind::imap, 1, ""}, {"pc", DeviceKind::pop3, 1, "keep"}};
  return info;
}

Event event(Type type, What what, std::string code = "", std::string text = "") {
  Event e;
  e.type = type;
  e.what = what;
  e.code = std::move(code);
  e.text = std::move(text);
  return e;
}

bool same(const Columns& a, const Columns& b) {
  return a.uid == b.uid && a.seq == b.seq && a.size == b.size && a.modseq == b.modseq && a.other_set == b.other_set;
}

/// A kind of event, what a history on disk has of it, and which facts that is.
struct Kind {
  Event of;
  Columns columns;
  Facts facts;
};

std::vector<Kind> kinds() {
  const auto seconds = [](int n) { return static_cast<std::uint64_t>(n) * 1'000'000'000U; };
  const BoundFacts five{std::chrono::seconds(5)};
  return {
      {event(Type::ok, What::select), {17, 2, 0, 99, ""}, SelectFacts{2, 17, 99}},
      {event(Type::ok, What::examine), {17, 2, 0, 0, ""}, SelectFacts{2, 17, 0}},
      {event(Type::invoke, What::select), {0, 0, 0, 99, ""}, SelectFacts{0, 0, 99}},
      {event(Type::obs, What::exists), {0, 5, 4, 0, ""}, ExistsFacts{5, 4}},
      {event(Type::obs, What::row), {7, 3, 4096, 12, ""}, RowFacts{12}},
      {event(Type::obs, What::row), {7, 3, 0, 12, "size 0"}, RowFacts{12, true}},
      {event(Type::obs, What::piece), {7, 3, 100, 0x1'0000'0064U, ""}, PieceFacts{1, 100}},
      {event(Type::obs, What::quota), {0, 0, 2048, 65536, ""}, QuotaFacts{2048, 65536}},
      {event(Type::invoke, What::top), {5, 1, 0, 0, ""}, TopFacts{5, 0}},
      {event(Type::ok, What::top), {5, 1, 800, 4, ""}, TopFacts{5, 4}},
      {event(Type::ok, What::stat), {0, 3, 3000, 0, ""}, CountFacts{3}},
      {event(Type::obs, What::enumerated), {0, 3, 0, 0, ""}, CountFacts{3}},
      {event(Type::obs, What::baseline), {0, 2, 0, 0, ""}, CountFacts{2}},
      {event(Type::expect, What::count), {0, 2, 0, 0, ""}, CountFacts{2}},
      {event(Type::fail, What::deliver), {0, 552, 0, 0, ""}, ReplyFacts{552}},
      {event(Type::invoke, What::deliver), {0, 0, 1000, 0, ""}, {}},
      {event(Type::expect, What::see), {0, 0, seconds(5), 0, ""}, five},
      {event(Type::expect, What::lose), {0, 0, seconds(5), 0, ""}, five},
      {event(Type::obs, What::settle), {0, 0, seconds(5), 0, ""}, five},
      {event(Type::invoke, What::admin, "pause"), {0, 0, seconds(5), 0, ""}, five},
      {event(Type::invoke, What::admin, "set_quota"), {0, 0, 65536, 0, ""}, LimitFacts{65536}},
      {event(Type::ok, What::move), {0, 0, 0, 0, "11:12"}, CopyFacts{"11:12"}},
      {event(Type::expect, What::outcome), {0, 0, 0, 0, "why"}, OutcomeFacts{"why"}},
      {event(Type::obs, What::audit), {0, 2, 0, 0, ""}, AuditFacts{2}},
      {event(Type::expect, What::talk), {0, 14, 0, 0, ""}, TalkFacts{14}},
      {event(Type::fail, What::rule), {0, 9, 0, 0, "CRLF"}, RuleFacts{"CRLF", 9}},
      {event(Type::obs, What::message), {7, 3, 4096, 0, ""}, {}},
      {event(Type::obs, What::expunged), {7, 3, 0, 0, ""}, {}},
  };
}

TEST(Columns, AreWhatTheyWereOnDiskForEveryKind) {
  for (const Kind& kind : kinds()) {
    Event e = kind.of;
    ASSERT_EQ(take_columns(kind.columns, two_devices(), e), "");
    const std::string which = std::string(name(e.type)) + " " + std::string(name(e.what));
    EXPECT_EQ(e.facts.index(), kind.facts.index()) << which;
    EXPECT_TRUE(same(columns(e), kind.columns)) << which;
    // The facts alone say what the event's own fields no longer do.
    Event bare = kind.of;
    bare.facts = kind.facts;
    Event own = e;
    own.facts = {};
    const Columns put = columns(bare), rest = columns(own);
    EXPECT_EQ(put.seq + rest.seq, kind.columns.seq) << which;
    EXPECT_EQ(put.uid + rest.uid, kind.columns.uid) << which;
    EXPECT_EQ(put.size + rest.size, kind.columns.size) << which;
    EXPECT_EQ(put.modseq, kind.columns.modseq) << which;
    EXPECT_EQ(put.other_set, kind.columns.other_set) << which;
  }
}

Event expected_fate(const std::string& code, const std::string& text, std::string& wrong) {
  Event e = event(Type::expect, What::fate, code, text);
  wrong = take_columns({}, two_devices(), e);
  return e;
}

TEST(Columns, AFateIsReadAsItIsWritten) {
  const FateFacts all[] = {{.fate = Fate::lost},
                           {.fate = Fate::removed_by_client, .over = Protocol::pop3, .by = 2, .copy_on = 1},
                           {.fate = Fate::present, .copy_on = 2},
                           {.fate = Fate::present, .nobody_has_copy = true},
                           {.fate = Fate::moved, .over = Protocol::imap}};
  const std::string texts[] = {"", "by=pc over=pop3 copy_on=phone", "copy_on=pc", "copy_on=nobody", "over=imap"};
  for (std::size_t i = 0; i < std::size(all); ++i) {
    Event written = event(Type::expect, What::fate);
    expect_fate(all[i], two_devices(), written);
    EXPECT_EQ(written.code, name(all[i].fate));
    EXPECT_EQ(written.text, texts[i]);
    std::string wrong;
    const Event read = expected_fate(written.code, written.text, wrong);
    EXPECT_EQ(wrong, "");
    const auto& back = read.get<FateFacts>();
    EXPECT_EQ(back.fate, all[i].fate) << texts[i];
    EXPECT_EQ(back.over, all[i].over) << texts[i];
    EXPECT_EQ(back.by, all[i].by) << texts[i];
    EXPECT_EQ(back.copy_on, all[i].copy_on) << texts[i];
    EXPECT_EQ(back.nobody_has_copy, all[i].nobody_has_copy) << texts[i];
  }
}

TEST(Columns, AFateNamesOnlyWhatThereIs) {
  std::string wrong;
  const Event stranger = expected_fate("present", "by=tablet copy_on=my old pc", wrong);
  EXPECT_EQ(wrong, "");
  EXPECT_EQ(stranger.get<FateFacts>().by, FateFacts::kUnknown);
  EXPECT_EQ(stranger.get<FateFacts>().copy_on, FateFacts::kUnknown);
  expected_fate("evaporated", "", wrong);
  EXPECT_EQ(wrong, "'code' of the event is the unknown fate 'evaporated'");
  expected_fate("present", "by=pc over=uucp", wrong);
  EXPECT_EQ(wrong, "'text' of the event names the unknown protocol 'uucp'");
}

TEST(Columns, WhoMustAgreeIsReadAsItIsWritten) {
  Event written = event(Type::expect, What::agree);
  expect_agreement({{2, 1}}, two_devices(), written);
  EXPECT_EQ(written.text, "pc phone");
  Event read = event(Type::expect, What::agree, "", "pc phone tablet");
  EXPECT_EQ(take_columns({}, two_devices(), read), "");
  EXPECT_EQ(read.get<AgreeFacts>().devices, (std::vector<std::uint32_t>{2, 1, FateFacts::kUnknown}));
}

TEST(Event, HasEmptyFactsOfEveryKindThatIsNotItsOwn) {
  Event e = event(Type::obs, What::exists);
  e.facts = ExistsFacts{3, 2};
  EXPECT_EQ(e.get<ExistsFacts>().now, 3U);
  EXPECT_EQ(e.get<QuotaFacts>().limit, 0U);
  EXPECT_EQ(e.get<CopyFacts>().destinations, "");
  EXPECT_EQ(e.get<FateFacts>().fate, Fate::unknown);
}

}  // namespace
}  // namespace mailproof::history
