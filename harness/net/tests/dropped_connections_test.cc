#include "net/tests/raw.h"
#include "net/tests/world.h"

namespace mailproof::net {
namespace {

class DroppedConnectionsTest : public World {};

TEST_F(DroppedConnectionsTest, AllAtOnceWithoutAWordAndThePortStaysOpen) {
  auto made = Listener::listen(loop, {}, [](bool) { return std::make_unique<Actor>(); });
  ASSERT_TRUE(made);
  listener = std::move(*made);
  Actor phones[3];
  std::vector<std::unique_ptr<Link>> links;
  for (Actor& phone : phones) links.push_back(loop.open(at(listener->port()), phone));
  ASSERT_TRUE(play_until([&] { return listener->connections() == 3 && phones[2].calls == "o"; }));
  listener->drop_connections();
  EXPECT_EQ(listener->connections(), 0U);
  ASSERT_TRUE(play_until([&] { return phones[0].over() && phones[1].over() && phones[2].over(); }));
  for (const Actor& phone : phones) {
    EXPECT_EQ(phone.calls, "oe");
    EXPECT_EQ(phone.received, "");
  }
  link = loop.open(at(listener->port()), client);
  EXPECT_TRUE(play_until([&] { return listener->connections() == 1 && client.calls == "o"; }));
}

TEST_F(DroppedConnectionsTest, WhatWaitedToBeSentIsNotSent) {
  open();
  greet();
  server->out.text("* BYE shutting down\r\n");  // without a wake: it stays in the buffer
  listener->drop_connections();
  EXPECT_EQ(server->calls, "o") << "a process that dies tells itself nothing";
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(client.received, "");
}

TEST_F(DroppedConnectionsTest, FromInsideOneOfThePeers) {
  open();
  greet();
  server->on_feed = [this] { listener->drop_connections(); };
  client.say("a1 NOOP\r\n");
  ASSERT_TRUE(play_to_the_end());
  EXPECT_EQ(server->received, "a1 NOOP\r\n");
  EXPECT_EQ(server->calls, "o");
  EXPECT_EQ(listener->connections(), 0U);
}

}  // namespace
}  // namespace mailproof::net
