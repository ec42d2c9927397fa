#include "load/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "load/writer.h"

namespace mailproof::load {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

scenario::Target target_at(const std::string& host) {
  scenario::Target out;
  out.imap = {{Protocol::imap, host, 143, TlsMode::none, false, ""}};
  return out;
}

constexpr Limits kHere{20'000, 20'000, 28'232};

TEST(Limits, PortsOfClosedConnectionsCountWhereTheyAreKept) {
  Forecast forecast;
  forecast.connections = forecast.to_one_endpoint = 500;
  forecast.opened_to_one = 400;  // a second: 24,000 of a minute
  EXPECT_THAT(obstacles(forecast, kHere, target_at("127.0.0.1"), false), IsEmpty());
  const auto away = obstacles(forecast, kHere, target_at("192.0.2.7"), false);
  ASSERT_THAT(away, SizeIs(1));
  EXPECT_EQ(away[0].limit, "net.ipv4.ip_local_port_range");
  EXPECT_THAT(away[0].text, HasSubstr("500 connections to one endpoint at the peak, and 24000 that were closed"));
}

TEST(Limits, OnLoopbackMoreAddressesAreUsed) {
  Forecast forecast;
  forecast.connections = forecast.to_one_endpoint = 50'000;
  EXPECT_THAT(sources_for(forecast, kHere, target_at("127.0.0.1")), SizeIs(3));
  EXPECT_THAT(sources_for(forecast, kHere, target_at("192.0.2.7")), IsEmpty());
}

/// What is beyond them would silently not be sent.
TEST(Limits, ADeviceHasNumbersForAllThatItSends) {
  scenario::Plan plan;
  plan.profiles.resize(2);
  plan.profiles[0].name = "phone";
  plan.profiles[1].name = "pc";
  plan.profiles[1].send = scenario::Letters{};
  plan.profiles[1].send->every = std::chrono::seconds(20);
  plan.profiles[1].send->save_to = "Sent";
  plan.mix = {{{"phone", "pc"}, 1, {}}};
  plan.phases = {{1, 1, std::chrono::hours(8)}};
  plan.accounts = 1000;
  EXPECT_EQ(letter_numbers(plan).writers, 1U);
  Forecast few = forecast(plan, target_at("127.0.0.1"), 1, {});
  EXPECT_EQ(few.letters_of_one, 2880);
  EXPECT_EQ(few.letters_numbered, 1 << 21);
  EXPECT_THAT(obstacles(few, kHere, target_at("127.0.0.1"), true), IsEmpty());
  plan.accounts = 1'000'000;
  Forecast many = forecast(plan, target_at("127.0.0.1"), 1, {});
  EXPECT_EQ(many.letters_numbered, 2048);
  bool refused = false;
  for (const auto& one : obstacles(many, kHere, target_at("127.0.0.1"), true))
    refused = refused || one.limit == "send:";
  EXPECT_TRUE(refused);
}

TEST(Limits, DefaultsOfKnownServersAreSaidWhereTheTargetFileSaysNothing) {
  Forecast forecast;
  forecast.of_one_account = 12;
  forecast.imap = 1500;
  auto target = target_at("127.0.0.1");
  const auto told = advice(forecast, target);
  ASSERT_THAT(told, SizeIs(2));
  EXPECT_THAT(told[0], HasSubstr("12 connections of one account"));
  EXPECT_THAT(told[0], HasSubstr("mail_max_userip_connections"));
  EXPECT_THAT(told[1], HasSubstr("process_limit"));
  target.connections.user = 20;
  target.connections.address = 2000;
  EXPECT_THAT(advice(forecast, target), IsEmpty());
  forecast = {};
  EXPECT_THAT(advice(forecast, target_at("127.0.0.1")), IsEmpty());
}

}  // namespace
}  // namespace mailproof::load
