#include "wire/mime/encoded_words.h"

#include <gtest/gtest.h>

namespace mailproof::mime {
namespace {

TEST(EncodedWords, AsciiStaysAsItIs) {
  EXPECT_EQ(encoded_words("Invoice 4711, March"), "Invoice 4711, March");
  EXPECT_EQ(decoded_words("Invoice 4711, March"), "Invoice 4711, March");
}

TEST(EncodedWords, OthersAreWordsThatSayTheSame) {
  EXPECT_EQ(encoded_words("M\xC3\xA4rz"), "=?utf-8?B?TcOkcno=?=");
  EXPECT_EQ(decoded_words("=?UTF-8?q?Rechnung_M=C3=A4rz?="), "Rechnung M\xC3\xA4rz");
  EXPECT_EQ(decoded_words("=?utf-8?Q?a?= =?utf-8?Q?b?= c =?us-ascii?Q?d?="), "ab c d") << "RFC 2047 section 8";
  std::string umlauts;
  for (int i = 0; i < 60; ++i) umlauts += i % 7 == 0 ? "x" : "\xC3\xBC";
  const std::string words = encoded_words(umlauts);
  EXPECT_EQ(decoded_words(words), umlauts);
  for (std::size_t at = 0, end = 0; end != std::string::npos; at = end + 2) {
    end = words.find("\r\n", at);
    EXPECT_LE(std::min(end, words.size()) - at, 76U) << "RFC 2047 section 2";
  }
}

TEST(EncodedWords, WhatIsNoneStays) {
  for (const char* text : {"=?", "=?utf-8?B?", "=?latin1?Q?=E4?=", "=?utf-8?Q?=E?=", "=?utf-8?B?!?=", "=?utf-8?X?a?="})
    EXPECT_EQ(decoded_words(text), text);
  EXPECT_EQ(decoded_words(encoded_words("=?utf-8?Q?a?=")), "=?utf-8?Q?a?=") << "text that looks like a word";
}

}  // namespace
}  // namespace mailproof::mime
