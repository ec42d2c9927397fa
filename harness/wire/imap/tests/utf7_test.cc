#include "wire/imap/utf7.h"

#include <gtest/gtest.h>

namespace mailproof::imap {
namespace {

TEST(Utf7, ExamplesOfRfc3501) {
  const struct {
    const char* utf8;
    const char* name;
  } pairs[] = {{"~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},
               {"INBOX", "INBOX"},
               {"", ""},
               {"Tom & Jerry", "Tom &- Jerry"},
               {"&&", "&-&-"},
               {"Entw\u00fcrfe", "Entw&APw-rfe"},
               {"\u00e9&\u00e9", "&AOk-&-&AOk-"},
               {"a-\u00e9-b", "a-&AOk--b"},
               {"\U0001F4E7 mail", "&2D3c5w- mail"},
               {"\t", "&AAk-"}};
  for (const auto& [utf8, name] : pairs) {
    EXPECT_EQ(encode_utf7(utf8).value(), name);
    EXPECT_EQ(decode_utf7(name).value(), utf8);
  }
}

TEST(Utf7, RefusesWhatHasAnotherForm) {
  for (const char* name : {"&", "&U,BTFw", "&AGE-", "&AOk-&AOk-", "&A-", "&AOl-", "&AOkA-", "&2D0-", "&3Oc-",
                           "&2D0AQQ-", "&A*k-", "caf\xc3\xa9", "a\tb", "&AOk/-", "&AOk=-", "&AAA"}) {
    EXPECT_FALSE(decode_utf7(name)) << name;
  }
}

TEST(Utf7, RefusesWhatIsNotUtf8) {
  for (const char* text : {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
                           "\xe2\x82", "a\xc3(", "\xf0\x80\x80\x80"}) {
    EXPECT_FALSE(encode_utf7(text));
  }
  EXPECT_EQ(encode_utf7("ok\xff").error().where, "octet 2");
}

}  // namespace
}  // namespace mailproof::imap
