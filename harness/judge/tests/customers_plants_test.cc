// Limits that several accounts share, and limits that the admin changes while the story runs.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

constexpr std::uint64_t kKiB = 1024;

/// alice and bob belong to acme; neither has a limit of its own.
void acme(Scene& s, std::uint64_t quota) {
  s.history.info.customers.push_back({"acme", quota});
  for (auto& account : s.history.info.accounts) account.customer = 1;
}

void own_quota(Scene& s, std::uint64_t quota) { s.history.info.accounts[s.alice - 1].quota = quota; }

/// A message of 8 KiB.
std::uint32_t big_message(Scene& s) {
  history::MessageInfo made;
  made.set = "filler";
  made.index = static_cast<std::uint32_t>(s.history.messages().size() + 1);
  made.size = 8 * kKiB;
  made.hash = 0xf00 + s.history.messages().size();
  made.sender = s.bob;
  return s.history.add_message(made);
}

std::vector<std::uint32_t> fill(Scene& s, std::uint32_t account, int count) {
  std::vector<std::uint32_t> out;
  const std::uint32_t mta = s.lmtp();
  for (int i = 0; i < count; ++i) s.deliver(mta, out.emplace_back(big_message(s)), account);
  return out;
}

void refused(Scene& s, std::uint32_t account) {
  s.deliver(s.lmtp(), big_message(s), account, Type::fail, 552, "5.2.2", "mailbox is full");
}

void set_quota(Scene& s, std::uint64_t octets, Type outcome = Type::ok) {
  s.ask(
      What::admin, 0,
      [&](Event& e) {
        e.code = "set_quota";
        e.account = s.alice;
        e.facts = history::LimitFacts{octets};
      },
      outcome);
}

void set_customer_quota(Scene& s, const std::string& customer, std::uint64_t octets) {
  s.ask(What::admin, 0, [&](Event& e) {
    e.code = "set_customer_quota";
    e.text = customer;
    e.facts = history::LimitFacts{octets};
  });
}

using Found = std::vector<std::uint32_t>;

/// The audit of both accounts, twice.
void audited(Scene& s, const Found& alices, const Found& bobs) {
  for (const std::uint32_t round : {1U, 2U}) {
    s.audit_begin(round);
    s.list_imap(s.alice, round, Scene::all(alices));
    s.list_pop(s.alice, round, Scene::all(alices));
    s.list_imap(s.bob, round, Scene::all(bobs));
    s.list_pop(s.bob, round, Scene::all(bobs));
    s.audit_end(round);
    if (round == 1) s.settle();
  }
}

void usage(Scene& s, const std::string& root, std::uint64_t used) {
  s.obs(What::quota, s.audit(Protocol::imap, s.alice, 2), [&](Event& e) {
    e.text = root;
    e.code = "STORAGE";
    e.facts = history::QuotaFacts{used, 128 * kKiB};
  });
}

/// A message of the same size by APPEND.
std::uint32_t saved(Scene& s, std::uint32_t session, std::uint32_t uid) {
  const std::uint32_t m = big_message(s);
  const auto where = [&](Event& e) {
    e.mailbox = "INBOX";
    e.message = m;
  };
  s.ask(What::append, session, where, Type::ok, [&](Event& e) {
    where(e);
    e.uidvalidity = 1;
    e.uid = uid;
  });
  return m;
}

const bool kCustomers[] = {
    plant("quota/let-over-limit",  // neither is much, but together they are
          [](Scene& s) {
            acme(s, 64 * kKiB);
            const auto alices = fill(s, s.alice, 7), bobs = fill(s, s.bob, 7);
            audited(s, alices, bobs);
          }),
    silent("the accounts of a customer stay below the limit they share",
           [](Scene& s) {
             acme(s, 128 * kKiB);
             const auto alices = fill(s, s.alice, 7), bobs = fill(s, s.bob, 7);
             audited(s, alices, bobs);
           }),
    silent("accounts without a customer share nothing",
           [](Scene& s) {
             acme(s, 64 * kKiB);
             for (auto& account : s.history.info.accounts) account.customer = 0;
             const auto alices = fill(s, s.alice, 7), bobs = fill(s, s.bob, 7);
             audited(s, alices, bobs);
           }),
    silent("two customers share nothing with each other",
           [](Scene& s) {
             acme(s, 64 * kKiB);
             s.history.info.customers.push_back({"zulu", 64 * kKiB});
             s.history.info.accounts[s.bob - 1].customer = 2;
             const auto alices = fill(s, s.alice, 7), bobs = fill(s, s.bob, 7);
             audited(s, alices, bobs);
           }),
    silent("one box of a customer is refused mail because another is full",
           [](Scene& s) {
             acme(s, 64 * kKiB);
             own_quota(s, 64 * kKiB);
             const auto bobs = fill(s, s.bob, 7);
             refused(s, s.alice);
             audited(s, {}, bobs);
           }),
    plant("quota/let-over-limit",  // a customer's box has its own limit as well
          [](Scene& s) {
            acme(s, 512 * kKiB);
            own_quota(s, 32 * kKiB);
            const auto alices = fill(s, s.alice, 7);
            audited(s, alices, {});
          }),
};

const bool kAdmin[] = {
    plant("quota/let-over-limit",  // it was within the limit until the admin lowered it
          [](Scene& s) {
            own_quota(s, 64 * kKiB);
            auto mail = fill(s, s.alice, 6);
            set_quota(s, 16 * kKiB);
            mail.push_back(fill(s, s.alice, 1).front());
            audited(s, mail, {});
          }),
    silent(
        "a session that was there before the admin lowered the limit goes on by the old one",  // seed 20321 on Dovecot
        [](Scene& s) {
          own_quota(s, 64 * kKiB);
          auto mail = fill(s, s.alice, 6);
          const std::uint32_t hand = s.imap(s.phone);
          set_quota(s, 16 * kKiB);
          mail.push_back(saved(s, hand, 7));
          audited(s, mail, {});
        }),
    plant("quota/let-over-limit",  // one that comes afterwards does not
          [](Scene& s) {
            own_quota(s, 64 * kKiB);
            auto mail = fill(s, s.alice, 6);
            set_quota(s, 16 * kKiB);
            mail.push_back(saved(s, s.imap(s.phone), 7));
            audited(s, mail, {});
          }),
    silent("a limit below what is there removes nothing",
           [](Scene& s) {
             own_quota(s, 64 * kKiB);
             const auto mail = fill(s, s.alice, 6);
             set_quota(s, 16 * kKiB);
             audited(s, mail, {});
           }),
    silent("refused after the admin lowered the limit",
           [](Scene& s) {
             own_quota(s, 64 * kKiB);
             const auto mail = fill(s, s.alice, 2);
             set_quota(s, 16 * kKiB);
             refused(s, s.alice);
             audited(s, mail, {});
           }),
    silent("moved within a mailbox that is over its lowered limit",
           [](Scene& s) {
             own_quota(s, 64 * kKiB);
             const auto mail = fill(s, s.alice, 6);
             const std::uint32_t hand = s.watches(s.phone, mail);
             set_quota(s, 16 * kKiB);
             s.move(What::move, hand, "6", "Archive", Type::ok, "1");
             s.expunged(hand, 6, 6);
             for (const std::uint32_t round : {1U, 2U}) {
               const Found rest(mail.begin(), mail.end() - 1);
               s.both(round, Scene::all(rest));
               s.list_imap(s.alice, round, {{mail[5], 1}}, "Archive");
               s.settle();
             }
           }),
    silent("accepted after the admin raised the limit",
           [](Scene& s) {
             own_quota(s, 64 * kKiB);
             auto mail = fill(s, s.alice, 6);
             set_quota(s, 256 * kKiB);
             const auto more = fill(s, s.alice, 8);
             mail.insert(mail.end(), more.begin(), more.end());
             audited(s, mail, {});
           }),
    silent("accepted after the admin lifted the limit",
           [](Scene& s) {
             own_quota(s, 64 * kKiB);
             auto mail = fill(s, s.alice, 6);
             set_quota(s, 0);
             const auto more = fill(s, s.alice, 8);
             mail.insert(mail.end(), more.begin(), more.end());
             audited(s, mail, {});
           }),
    plant("quota/let-over-limit",  // a command that failed changed nothing
          [](Scene& s) {
            own_quota(s, 64 * kKiB);
            set_quota(s, 256 * kKiB, Type::fail);
            const auto mail = fill(s, s.alice, 14);
            audited(s, mail, {});
          }),
    plant("quota/refused-below-limit",  // though the admin raised it
          [](Scene& s) {
            own_quota(s, 64 * kKiB);
            const auto mail = fill(s, s.alice, 7);
            set_quota(s, 256 * kKiB);
            refused(s, s.alice);
            audited(s, mail, {});
          }),
    plant("quota/refused-below-limit",  // there was none until the admin gave it one
          [](Scene& s) {
            const auto mail = fill(s, s.alice, 2);
            set_quota(s, 256 * kKiB);
            refused(s, s.alice);
            audited(s, mail, {});
          }),
    plant("quota/let-over-limit",  // the customer's
          [](Scene& s) {
            acme(s, 256 * kKiB);
            auto alices = fill(s, s.alice, 4);
            const auto bobs = fill(s, s.bob, 3);
            set_customer_quota(s, "acme", 32 * kKiB);
            alices.push_back(fill(s, s.alice, 1).front());
            audited(s, alices, bobs);
          }),
    silent("another customer's limit is lowered",
           [](Scene& s) {
             acme(s, 256 * kKiB);
             s.history.info.customers.push_back({"zulu", 256 * kKiB});
             const auto alices = fill(s, s.alice, 4);
             set_customer_quota(s, "zulu", 8 * kKiB);
             const auto bobs = fill(s, s.bob, 3);
             audited(s, alices, bobs);
           }),
    silent("accepted after the admin raised what a customer shares",
           [](Scene& s) {
             acme(s, 32 * kKiB);
             const auto alices = fill(s, s.alice, 3);
             set_customer_quota(s, "acme", 256 * kKiB);
             const auto bobs = fill(s, s.bob, 7);
             audited(s, alices, bobs);
           }),
};

const bool kUsage[] = {
    silent("the only root that is told is a customer's, and counts other boxes too",
           [](Scene& s) {
             acme(s, 128 * kKiB);
             const auto alices = fill(s, s.alice, 3), bobs = fill(s, s.bob, 5);
             audited(s, alices, bobs);
             usage(s, "acme", 64 * kKiB);
             s.expect(What::usage, 0, "", [&](Event& e) { e.account = s.alice; });
           }),
    silent("beside the customer's root its own is told",
           [](Scene& s) {
             acme(s, 128 * kKiB);
             const auto alices = fill(s, s.alice, 3), bobs = fill(s, s.bob, 5);
             audited(s, alices, bobs);
             usage(s, "alice", 24 * kKiB);
             usage(s, "acme", 64 * kKiB);
           }),
    plant("quota/usage-estimated",  // a customer's root cannot count less than one of its boxes
          [](Scene& s) {
            acme(s, 128 * kKiB);
            const auto alices = fill(s, s.alice, 5);
            audited(s, alices, {});
            usage(s, "acme", 8 * kKiB);
          }),
    plant("quota/usage-estimated",  // nobody else is below this root
          [](Scene& s) {
            const auto alices = fill(s, s.alice, 3), bobs = fill(s, s.bob, 5);
            audited(s, alices, bobs);
            usage(s, "User quota", 64 * kKiB);
          }),
};

}  // namespace
}  // namespace mailproof::judge
