#include "import/observe/known_mail.h"

#include <gtest/gtest.h>

namespace mailproof::imports {
namespace {

Sight whole(const std::string& id, std::uint64_t hash) {
  Sight out;
  out.message_id = id;
  out.whole = true;
  out.body_hash = hash;
  return out;
}
Sight header(const std::string& id) {
  Sight out;
  out.message_id = id;
  return out;
}

TEST(KnownMail, ABodyThatTheServerChangedIsStillThatMail) {
  history::History history;
  KnownMail mail(history);
  const auto handed_over = mail.number(whole("<1@x>", 1), "");
  EXPECT_EQ(mail.number(header("<1@x>"), "1 imap 7 3 INBOX"), handed_over);
  EXPECT_EQ(mail.number(whole("<1@x>", 2), "1 pop3 u3"), handed_over) << "with another line end";
  // Once it was read where it lies, another body there is another message.
  EXPECT_NE(mail.number(whole("<1@x>", 3), "1 pop3 u4"), handed_over);
  EXPECT_EQ(mail.number(whole("<1@x>", 2), "1 imap 7 9 Archive"), handed_over);
}

TEST(KnownMail, TwoWithOneMessageIdAreToldApartByTheirBodies) {
  history::History history;
  KnownMail mail(history);
  const auto first = mail.number(whole("<1@x>", 1), ""), second = mail.number(whole("<1@x>", 2), "");
  EXPECT_NE(first, second);
  EXPECT_EQ(mail.number(whole("<1@x>", 2), "1 pop3 u2"), second);
  EXPECT_EQ(mail.number(whole("<1@x>", 1), "1 pop3 u1"), first);
  EXPECT_EQ(mail.number(header("<1@x>"), "1 imap 7 1 INBOX"), 0U) << "which of the two nobody can say";
  EXPECT_EQ(mail.number(header("<1@x>"), "1 pop3 u2"), second) << "in that place it is known";
}

TEST(KnownMail, WithoutAMessageIdTheBodyAloneTells) {
  history::History history;
  KnownMail mail(history);
  const auto first = mail.number(whole("", 1), "");
  EXPECT_NE(mail.number(whole("", 2), "1 pop3 u2"), first);
  EXPECT_EQ(mail.number(whole("", 1), "1 pop3 u1"), first);
}

}  // namespace
}  // namespace mailproof::imports
