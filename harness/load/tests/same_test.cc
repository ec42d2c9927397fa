#include <gtest/gtest.h>

#include "load/parcels.h"
#include "play/ownership.h"

namespace mailproof::load {
namespace {

const std::string kOwner = "alice@example.test";
const std::string kTrace =
    "Return-Path: <bob@example.org>\r\nReceived: from a.example.org (a.example.org [192.0.2.1])\r\n\tby "
    "b.example.test; "
    "Mon, 02 Mar 2026 09:14:07 +0100\r\n";

/// A ledger with a few messages, and the text of the second.
class Same : public ::testing::Test {
 protected:
  Same() : parcels(77, 5, [](std::uint32_t) -> const std::string& { return kOwner; }) {
    for (std::uint32_t i = 0; i < 3; ++i) parcels.add(i + 1, 0, 2048);
    mail::MessageSpec spec;
    spec.token = parcels.token(1);
    spec.from = "bob@example.org";
    spec.to = kOwner;
    spec.set = "load";
    spec.date = "Mon, 02 Mar 2026 09:14:07 +0100";
    spec.size = 2048;
    const auto made = mail::make_message(spec);
    parcels.at(1).hash = made.hash;
    text = *made.text;
  }
  mail::ContentScanner scanned(const std::string& came, std::size_t piece = 100) const {
    mail::ContentScanner scanner;
    scanner.begin();
    for (std::size_t at = 0; at < came.size(); at += piece) scanner.add(std::string_view(came).substr(at, piece));
    scanner.end();
    return scanner;
  }
  Parcels parcels;
  std::string text;
};

TEST_F(Same, SaysWhatReadingTheHeaderSays) {
  for (const std::string& came : {text, kTrace + text}) {
    const auto scanner = scanned(came);
    EXPECT_EQ(parcels.same(scanner), std::optional<std::size_t>(1));
    EXPECT_EQ(play::identify(parcels, scanner), (play::Identity{play::Whose::ours, parcels.number(1)}));
  }
}

TEST_F(Same, AnOctetThatIsAnotherOneIsNotTheSame) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string came = text;
    came[i] = static_cast<char>(came[i] ^ 1);
    ASSERT_EQ(parcels.same(scanned(came, came.size())), std::nullopt) << i;
  }
  EXPECT_EQ(parcels.same(scanned(text + "\r\n")), std::nullopt);
  EXPECT_EQ(parcels.same(scanned(text.substr(0, text.size() - 2))), std::nullopt);
}

TEST_F(Same, WhatIsNotKnownOrNotAloneIsReadFieldByField) {
  EXPECT_EQ(parcels.same(scanned("Subject: another\r\n" + text)), std::nullopt);
  EXPECT_EQ(parcels.same(scanned("Message-ID: <a@example.org>\r\n" + text)), std::nullopt);
  EXPECT_EQ(parcels.same(scanned("From: a@example.org\r\n\r\n" + text)), std::nullopt);
  EXPECT_EQ(parcels.same(scanned("")), std::nullopt);
  const Parcels others(78, 5, [](std::uint32_t) -> const std::string& { return kOwner; });
  EXPECT_EQ(others.same(scanned(text)), std::nullopt);
}

}  // namespace
}  // namespace mailproof::load
