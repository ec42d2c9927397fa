#include "core/hash.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace mailproof {
namespace {

TEST(Hash, KnownAnswers) {
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 1939 section 7, the APOP example.
  EXPECT_EQ(md5_hex("<1896.697170952@dbc.mtview.ca.us>tanstaaf"), "c4c9334bac560ecc979e58001b3e22fb");
  // RFC 2195 section 2, the CRAM-MD5 example.
  EXPECT_EQ(hmac_md5_hex("tanstaaftanstaaf", "<1896.697170952@postoffice.reston.mci.net>"),
            "b913a602c7eda7a495b4e6e7334d3890");
  // RFC 4231 test case 2.
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  // RFC 7914 section 11, the first PBKDF2-HMAC-SHA-256 vector's first half.
  EXPECT_EQ(hex(pbkdf2_sha256("passwd", "salt", 1)),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
}

TEST(Hash, Base64OfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
                                                         {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64(plain), coded);
    const auto back = unbase64(coded);
    ASSERT_TRUE(back) << coded;
    EXPECT_EQ(*back, plain);
  }
  const std::string every_byte = [] {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    return all;
  }();
  EXPECT_EQ(*unbase64(base64(every_byte)), every_byte);
}

TEST(Hash, Base64RefusesWhatIsNone) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z=g=", "Zg==Zg==", "Z*g=", "Zm9v\r\n"})
    EXPECT_FALSE(unbase64(text)) << text;
}

TEST(ContentHash, IsTheSameHoweverTheContentIsCut) {
  const std::string text = "Received: from a by b\r\nSubject: cut me\r\n\r\n.\r\nbody of a few words\r\n";
  ContentHash whole;
  whole.add(text);
  for (std::size_t a = 0; a <= text.size(); ++a)
    for (std::size_t b = a; b <= text.size(); b += 7) {
      ContentHash pieces;
      pieces.add(std::string_view(text).substr(0, a));
      pieces.add(std::string_view(text).substr(a, b - a));
      pieces.add(std::string_view(text).substr(b));
      ASSERT_EQ(pieces.value(), whole.value()) << a << " " << b;
    }
}

std::string many(std::size_t size) {
  std::string text;
  for (std::size_t i = 0; i < size; ++i) text += static_cast<char>(i * 131 + i / 7);
  return text;
}

TEST(BulkHash, IsTheSameHoweverTheContentIsCut) {
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 64U, 150U}) {
    const std::string text = many(size);
    BulkHash whole;
    whole.add(text);
    for (std::size_t a = 0; a <= text.size(); ++a)
      for (std::size_t b = a; b <= text.size(); b += 5) {
        BulkHash pieces;
        pieces.add(std::string_view(text).substr(0, a));
        pieces.add(std::string_view(text).substr(a, b - a));
        pieces.add(std::string_view(text).substr(b));
        ASSERT_EQ(pieces.value(), whole.value()) << size << " " << a << " " << b;
      }
  }
}

TEST(BulkHash, SeesEverySingleChange) {
  const std::string text = many(300);
  const auto of = [](const std::string& one) {
    BulkHash hash;
    hash.add(one);
    return hash.value();
  };
  const auto original = of(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = text;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      ASSERT_NE(of(changed), original) << i;
    }
    if (i + 8 >= text.size()) continue;
    std::string swapped = text;  // words of two lanes, and octets
    std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(i),
                     swapped.begin() + static_cast<std::ptrdiff_t>(i) + 4,
                     swapped.begin() + static_cast<std::ptrdiff_t>(i) + 4);
    ASSERT_TRUE(swapped == text || of(swapped) != original) << i;
  }
  EXPECT_NE(of(text.substr(0, 299)), original);
  EXPECT_NE(of(text + '\0'), original);
  EXPECT_NE(of(std::string(32, '\0')), of(std::string(64, '\0')));
}

TEST(ContentHash, IsTheSameOctetByOctet) {
  std::string text;
  for (std::size_t size = 0; size < 40; ++size) {
    ContentHash whole, octets;
    whole.add(text);
    for (const char c : text) octets.add(std::string_view(&c, 1));
    EXPECT_EQ(whole.value(), octets.value()) << size;
    text += static_cast<char>(0x80 + 7 * size);
  }
}

TEST(ContentHash, SeesEverySingleChange) {
  const std::string text = "Subject: one byte\r\n\r\nbody\r\n";
  ContentHash original;
  original.add(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    ContentHash hash;
    hash.add(changed);
    EXPECT_NE(hash.value(), original.value()) << i;
  }
  ContentHash shorter, longer;
  shorter.add(std::string_view(text).substr(0, text.size() - 1));
  longer.add(text + '\0');
  EXPECT_NE(shorter.value(), original.value());
  EXPECT_NE(longer.value(), original.value());
}

}  // namespace
}  // namespace mailproof
