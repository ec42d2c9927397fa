#include "wire/mime/base_subject.h"

#include <gtest/gtest.h>

#include "wire/mime/transfer_encoding.h"

namespace mailproof::mime {
namespace {

TEST(BaseSubject, TakesAwayWhatRepliesListsAndForwardsAdd) {
  const std::pair<const char*, const char*> cases[] = {
      {"meeting", "meeting"},
      {"Re: meeting", "meeting"},
      {"RE: [list] fw:  meeting", "meeting"},
      {"Re [list] : meeting", "meeting"},
      {"[list] Re: meeting", "meeting"},
      {"[list] meeting", "meeting"},
      {"[list]", "[list]"},
      {"[a][b] x", "x"},
      {"[a [b] x", "[a [b] x"},
      {"Fwd: meeting (fwd)  (FWD)", "meeting"},
      {"[Fwd: Re: meeting]", "meeting"},
      {"[Fwd: [Fwd: meeting] (fwd)]", "meeting"},
      {"Re:", ""},
      {"=?iso-8859-1?q?RE:_Gr=FC=DFe?=",
       "Gr\xc3\xbc\xc3\x9f"
       "e"},
      {"=?iso-8859-1?q?_?=", ""},
      {"re-thinking", "re-thinking"},
      {"forward: x", "forward: x"},
      {"a \t b\r\n c", "a b c"},
      {"=?UTF-8?Q?Re=3A_Gr=C3=BC=C3=9Fe?=",
       "Gr\xc3\xbc\xc3\x9f"
       "e"},
  };
  for (const auto& [subject, base] : cases) EXPECT_EQ(base_subject(subject).text, base) << subject;
}

TEST(BaseSubject, KnowsRepliesAndForwards) {
  for (const auto* reply : {"Re: x", "fw: x", "x (fwd)", "[fwd: x]", "[list] re: x"})
    EXPECT_TRUE(base_subject(reply).reply) << reply;
  for (const auto* none : {"x", "[list] x", " x ", "return: x"}) EXPECT_FALSE(base_subject(none).reply) << none;
}

TEST(Casemapped, CapitalsOfSeveralScripts) {
  EXPECT_EQ(casemapped("abc \xc3\xbc \xce\xb1 \xd0\xb6 \xc5\x82"), "ABC \xc3\x9c \xce\x91 \xd0\x96 \xc5\x81");
  EXPECT_EQ(casemapped("\xff \xc3"), "\xff \xc3") << "what is no UTF-8 stays";
}

TEST(TransferDecoded, KnowsTheEncodingsOfRfc2045) {
  EXPECT_EQ(transfer_decoded("quoted-printable", "Caf=C3=A9, a soft =\r\nline=4"), "Caf\xc3\xa9, a soft line=4");
  EXPECT_EQ(transfer_decoded("BASE64", "SGVs\r\nbG8=\r\n"), "Hello");
  EXPECT_EQ(transfer_decoded("8bit", "\xff"), "\xff");
  EXPECT_EQ(transfer_decoded("base64", "SGV"), std::nullopt);
  EXPECT_EQ(transfer_decoded("x-foo", "a"), std::nullopt);
}

}  // namespace
}  // namespace mailproof::mime
