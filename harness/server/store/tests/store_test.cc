#include "server/store/store.h"

#include <gtest/gtest.h>

#include "server/imap/tests/rig.h"

namespace mailproof::server {
namespace {

class StoreTest : public testing::Test {
 protected:
  StoreTest() : options_(limited()), store_(options_), bob_(*store_.by_login("bob")) {}
  static ServerOptions limited() {
    auto options = ImapWorld::standard_options();
    options.domain_quota = 100'000;
    return options;
  }
  MessagePtr put(AccountState& account, Mailbox& mailbox, std::size_t octets = 1000) {
    return store_.append(account, mailbox, std::make_shared<const std::string>(octets, 'x'), {}, internal_date(Time{}));
  }
  ServerOptions options_;
  Store store_;
  AccountState& bob_;
};

/// Writes down what it is told.
struct Notebook : MailboxWatcher {
  void on_append(const MessagePtr& message) override { lines.push_back("append " + std::to_string(message->uid)); }
  void on_expunge(const MessagePtr& message) override {
    lines.push_back("expunge " + std::to_string(message->uid) + (message->expunged ? "" : "?"));
  }
  void on_flags(const MessagePtr& message) override { lines.push_back("flags " + message->flags.format()); }
  std::vector<std::string> lines;
};

TEST_F(StoreTest, FindsAccountsByLoginAndAddress) {
  EXPECT_EQ(store_.by_login("BOB"), &bob_);
  EXPECT_EQ(store_.by_login("Bob@Example.Test"), &bob_);
  EXPECT_EQ(store_.by_address("bob"), nullptr);
  EXPECT_EQ(store_.by_address("bob@example.test"), &bob_);
  EXPECT_EQ(store_.by_login("mallory"), nullptr);
}

TEST_F(StoreTest, UidsRiseAndAreNeverGivenAgain) {
  auto& inbox = bob_.inbox();
  for (int i = 0; i < 3; ++i) put(bob_, inbox);
  const Uid last[] = {3, 99};
  EXPECT_EQ(store_.expunge(bob_, inbox, last), 1U);
  EXPECT_EQ(put(bob_, inbox)->uid, 4U);
  ASSERT_EQ(inbox.expunged().size(), 1U);
  EXPECT_EQ(inbox.expunged().front().uid, 3U);
  EXPECT_EQ(inbox.expunged().front().modseq, 5U);
  EXPECT_EQ(inbox.highest_modseq(), 6U);
  EXPECT_EQ(inbox.find(3), nullptr);
}

TEST_F(StoreTest, BothQuotaLevelsCount) {
  EXPECT_EQ(store_.would_fit(bob_, 65536), Room::fits);
  EXPECT_EQ(store_.would_fit(bob_, 65537), Room::over_account);
  EXPECT_EQ(store_.would_fit(bob_, UINT64_MAX), Room::over_account) << "no overflow";
  auto& alice = *store_.by_login("alice");
  put(alice, alice.inbox(), 60'000);
  EXPECT_EQ(store_.would_fit(bob_, 50'000), Room::over_domain);
  const auto message = put(bob_, bob_.inbox(), 40'000);
  store_.copy(bob_, *message, *bob_.mailbox("Trash"));
  EXPECT_EQ(bob_.usage(), 80'000U);
  const Uid uids[] = {message->uid};
  store_.expunge(bob_, bob_.inbox(), uids);
  store_.remove(bob_, "Trash");
  EXPECT_EQ(bob_.usage(), 0U);
  EXPECT_EQ(alice.shared().usage, 60'000U);
}

TEST_F(StoreTest, WatchersHearOfEveryRealChange) {
  Notebook notebook;
  auto& inbox = bob_.inbox();
  inbox.watch(notebook);
  const auto message = put(bob_, inbox);
  Flags seen;
  seen.add(Flag::seen);
  EXPECT_TRUE(store_.set_flags(inbox, message, seen));
  EXPECT_FALSE(store_.set_flags(inbox, message, seen)) << "nothing changed, MODSEQ stays";
  EXPECT_EQ(message->modseq, 3U);
  const Uid uids[] = {message->uid};
  store_.expunge(bob_, inbox, uids);
  EXPECT_FALSE(store_.set_flags(inbox, message, {})) << "gone";
  inbox.unwatch(notebook);
  put(bob_, inbox);
  EXPECT_EQ(notebook.lines, (std::vector<std::string>{"append 1", "flags (\\Seen)", "expunge 1"}));
}

TEST_F(StoreTest, AMailboxMadeAgainHasAnotherUidvalidity) {
  const auto first = store_.create(bob_, "Work/2026");
  ASSERT_TRUE(first);
  EXPECT_TRUE(bob_.mailbox("Work")) << "superiors are created";
  EXPECT_FALSE(store_.create(bob_, "Work"));
  put(bob_, *first);
  EXPECT_TRUE(store_.remove(bob_, "Work/2026"));
  EXPECT_TRUE(first->messages().empty());
  const auto second = store_.create(bob_, "Work/2026");
  EXPECT_GT(second->uid_validity(), first->uid_validity());
  EXPECT_FALSE(store_.remove(bob_, "inbox"));
}

TEST_F(StoreTest, RenameKeepsIdentityAndRefusesNonsense) {
  const auto work = store_.create(bob_, "Work/2026");
  EXPECT_FALSE(store_.rename(bob_, "Work", "Work/Below")) << "into itself";
  EXPECT_FALSE(store_.rename(bob_, "Nowhere", "Else"));
  EXPECT_FALSE(store_.rename(bob_, "Work", "Trash"));
  EXPECT_TRUE(store_.rename(bob_, "Work", "Old/Work"));
  EXPECT_EQ(bob_.mailbox("Old/Work/2026"), work);
  EXPECT_TRUE(bob_.mailbox("Old"));
  EXPECT_FALSE(bob_.mailbox("Work"));
}

TEST_F(StoreTest, SameSeedSameIdentities) {
  Store again(options_);
  EXPECT_EQ(again.by_login("bob")->inbox().uid_validity(), bob_.inbox().uid_validity());
  auto other = options_;
  other.seed = 2;
  EXPECT_NE(Store(other).by_login("bob")->inbox().uid_validity(), bob_.inbox().uid_validity());
  EXPECT_EQ(uidl(bob_.inbox(), *put(bob_, bob_.inbox())).size(), 16U);
}

}  // namespace
}  // namespace mailproof::server
