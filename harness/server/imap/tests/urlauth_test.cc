#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kRump = "imap://alice@mail.example.test/INBOX/;UID=1/;SECTION=1.1;URLAUTH=anonymous";

class UrlAuth : public testing::Test {
 protected:
  UrlAuth() : owner_(world_, "alice"), other_(world_, "bob") { owner_.append("INBOX", rich_message()); }

  /// The URL with a token.
  std::string authorised(std::string_view rump) {
    const auto answer = owner_.say(fmt::format("GENURLAUTH \"{}\" INTERNAL", rump));
    EXPECT_THAT(answer, StartsWith(fmt::format("* GENURLAUTH \"{}:internal:01", rump)));
    return answer.substr(14, answer.find('"', 14) - 14);
  }
  std::string fetch(ImapDevice& device, std::string_view url) {
    return device.say(fmt::format("URLFETCH \"{}\"", url));
  }
  ImapWorld world_;
  ImapDevice owner_;
  ImapDevice other_;
};

TEST_F(UrlAuth, WhoHasTheUrlGetsThePart) {
  const auto url = authorised(kRump);
  EXPECT_THAT(fetch(other_, url), StartsWith(fmt::format("* URLFETCH \"{}\" {{12}}\r\nPlain words.\r\n", url)));
  EXPECT_THAT(fetch(owner_, url), HasSubstr("Plain words."));
  const auto piece = authorised("imap://alice@h/INBOX/;UID=1/;SECTION=1.1/;PARTIAL=6.3;URLAUTH=authuser");
  EXPECT_THAT(fetch(other_, piece), HasSubstr("{3}\r\nwor\r\n"));
  EXPECT_THAT(fetch(other_, url.substr(0, url.size() - 1) + (url.back() == '0' ? "1" : "0")), HasSubstr("\" NIL\r\n"));
  auto longer = url;
  longer.replace(longer.find("SECTION=1.1"), 11, "SECTION=1.2");
  EXPECT_THAT(fetch(other_, longer), HasSubstr("\" NIL\r\n")) << "the token is of another URL";
}

TEST_F(UrlAuth, AccessSaysWho) {
  const auto bobs = authorised("imap://alice@h/INBOX/;UID=1;URLAUTH=user+bob");
  EXPECT_THAT(fetch(other_, bobs), HasSubstr("}\r\n"));
  EXPECT_THAT(fetch(owner_, bobs), HasSubstr("\" NIL\r\n"));
  EXPECT_THAT(fetch(other_, authorised("imap://alice@h/INBOX/;UID=1;URLAUTH=submit+bob")), HasSubstr("\" NIL\r\n"));
}

TEST_F(UrlAuth, ItExpires) {
  const auto late = authorised("imap://alice@h/INBOX/;UID=1;EXPIRE=2025-12-31T23:59:59Z;URLAUTH=anonymous");
  EXPECT_THAT(fetch(other_, late), HasSubstr("\" NIL\r\n"));
  const auto zone = authorised("imap://alice@h/INBOX/;UID=1;EXPIRE=2026-01-01T03:00:00.5+01:00;URLAUTH=anonymous");
  EXPECT_THAT(fetch(other_, zone), Not(HasSubstr("NIL")));
  EXPECT_EQ(owner_.status("GENURLAUTH \"imap://alice@h/INBOX/;UID=1;EXPIRE=soon;URLAUTH=anonymous\" INTERNAL"), "BAD");
}

TEST_F(UrlAuth, ANewKeyTakesItBack) {
  const auto url = authorised(kRump);
  other_.say("SELECT INBOX");
  ImapDevice second(world_, "alice");
  EXPECT_THAT(second.say("SELECT INBOX"), HasSubstr("* OK [URLMECH INTERNAL]"));
  EXPECT_THAT(owner_.say("RESETKEY INBOX"), HasSubstr("OK [URLMECH INTERNAL]"));
  EXPECT_THAT(second.take(), StartsWith("* OK [URLMECH INTERNAL]"));
  EXPECT_EQ(other_.take(), "") << "another user's INBOX";
  EXPECT_THAT(fetch(other_, url), HasSubstr("\" NIL\r\n"));
  const auto again = authorised(kRump);
  EXPECT_THAT(fetch(other_, again), HasSubstr("Plain words."));
  EXPECT_EQ(owner_.status("RESETKEY"), "OK");
  EXPECT_THAT(fetch(other_, again), HasSubstr("\" NIL\r\n"));
  EXPECT_EQ(owner_.status("RESETKEY Nowhere"), "NO");
  EXPECT_EQ(owner_.status("RESETKEY INBOX XSAMPLE"), "NO");
}

TEST_F(UrlAuth, WhatIsNoUrlOfOnesOwnIsBad) {
  for (const std::string_view url :
       {"imap://alice@h/INBOX/;UID=1", "imap://h/INBOX/;UID=1;URLAUTH=anonymous",
        "imap://bob@h/INBOX/;UID=1;URLAUTH=anonymous", "imap://alice@h/Nowhere/;UID=1;URLAUTH=anonymous",
        "imap://alice@h/INBOX;URLAUTH=anonymous", "imap://alice@h/INBOX/;UID=1;URLAUTH=friends",
        "imap://alice@h;URLAUTH=anonymous", "http://alice@h/"})
    EXPECT_EQ(owner_.status(fmt::format("GENURLAUTH \"{}\" INTERNAL", url)), "BAD") << url;
  EXPECT_EQ(owner_.status(fmt::format("GENURLAUTH \"{}\" XSAMPLE", kRump)), "NO");
  EXPECT_EQ(owner_.status("GENURLAUTH"), "BAD");
  EXPECT_THAT(fetch(owner_, "imap://alice@h/INBOX"), EndsWith(" OK Done\r\n")) << "NIL, and no error";
}

}  // namespace
}  // namespace mailproof::server
