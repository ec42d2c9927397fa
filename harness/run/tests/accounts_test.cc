#include "run/accounts.h"

#include <gtest/gtest.h>

namespace mailproof::run {
namespace {

scenario::Scenario of_one() {
  scenario::Scenario scenario;
  scenario.id = "test.story";
  scenario.accounts = {{"alice", std::nullopt, {}}};
  return scenario;
}

scenario::Target with(std::size_t accounts) {
  scenario::Target target;
  for (std::size_t i = 1; i <= accounts; ++i) {
    const std::string login = "user" + std::to_string(i);
    target.accounts.push_back({login, login + "@example.test", Secret("secret"), std::nullopt});
  }
  return target;
}

/// One mailbox that cannot be listed any more would else be lent to all that follows.
TEST(AccountPool, LendsOthersFirstThanWhatDidNotGoWell) {
  const scenario::Target target = with(2);
  AccountPool pool(target);
  std::string why;
  const auto first = pool.lease(of_one(), why);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->accounts[0].login, "user1");
  pool.give_back(*first, {.usable = true, .begun = true, .trouble = "INBOX: its messages could not be listed"});
  const auto second = pool.lease(of_one(), why);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->accounts[0].login, "user2");
  const auto third = pool.lease(of_one(), why);
  ASSERT_TRUE(third) << "where no other is free it is lent again";
  EXPECT_EQ(third->accounts[0].login, "user1");
  pool.give_back(*third, {.usable = true, .begun = true, .trouble = ""});
  const auto fourth = pool.lease(of_one(), why);
  ASSERT_TRUE(fourth);
  EXPECT_EQ(fourth->accounts[0].login, "user1");
}

TEST(AccountPool, SaysWhyNoneIsLeft) {
  const scenario::Target target = with(1);
  AccountPool pool(target);
  std::string why;
  const auto lease = pool.lease(of_one(), why);
  ASSERT_TRUE(lease);
  pool.give_back(*lease,
                 {.usable = false, .begun = true, .trouble = "INBOX of user1 holds 1 message that is not ours"});
  EXPECT_FALSE(pool.lease(of_one(), why));
  EXPECT_NE(why.find("the pool has no more; one account is not lent again, the last one because: INBOX of user1"),
            std::string::npos)
      << why;
}

/// What was seen of an account is told to who has it next, once; and to nobody when the server was stopped since.
TEST(AccountPool, TellsWhatWasSeenToBeEmpty) {
  const scenario::Target target = with(1);
  AccountPool pool(target);
  std::string why;
  const auto lease = [&] { return pool.lease(of_one(), why); };
  auto lent = lease();
  ASSERT_TRUE(lent);
  EXPECT_FALSE(lent->seen_empty);
  const play::SeenEmpty seen{{{1, {"inbox", "trash"}}}, Time{} + std::chrono::seconds(3)};
  pool.give_back(*lent, {.usable = true, .begun = true, .trouble = "", .left_empty = seen});
  lent = lease();
  ASSERT_TRUE(lent && lent->seen_empty);
  EXPECT_EQ(lent->seen_empty->at, seen.at);
  EXPECT_EQ(lent->seen_empty->mailboxes, seen.mailboxes);
  pool.give_back(*lent, {.usable = true, .begun = true, .trouble = ""});
  lent = lease();
  EXPECT_FALSE(lent->seen_empty) << "it was used since";
  pool.give_back(*lent, {.usable = true, .begun = true, .trouble = "silent", .left_empty = seen});
  lent = lease();
  EXPECT_FALSE(lent->seen_empty);
  pool.give_back(*lent, {.usable = true, .begun = true, .trouble = "", .left_empty = seen});
  pool.forget_what_was_seen();
  lent = lease();
  EXPECT_FALSE(lent->seen_empty);
  pool.give_back(*lent, {.usable = true, .begun = true, .trouble = "", .left_empty = seen});
  lent = lease();
  EXPECT_TRUE(pool.seen_empty(*lent));
  pool.forget_what_was_seen();
  EXPECT_FALSE(pool.seen_empty(*lent)) << "while it was out";
  pool.give_back(*lent, {.usable = true, .begun = true, .trouble = "", .left_empty = seen});
  EXPECT_FALSE(lease()->seen_empty) << "nor what it saw before that";
}

/// Of two accounts both must have been seen.
TEST(AccountPool, TellsWhatWasSeenOfAllOrNothing) {
  const scenario::Target target = with(2);
  AccountPool pool(target);
  std::string why;
  const auto one = pool.lease(of_one(), why);
  ASSERT_TRUE(one);
  pool.give_back(
      *one, {.usable = true, .begun = true, .trouble = "", .left_empty = play::SeenEmpty{{{1, {"inbox"}}}, Time{}}});
  scenario::Scenario of_two = of_one();
  of_two.accounts.push_back({"bob", std::nullopt, {}});
  const auto both = pool.lease(of_two, why);
  ASSERT_TRUE(both);
  EXPECT_FALSE(both->seen_empty);
}

}  // namespace
}  // namespace mailproof::run
