// Violations of quotas.
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

constexpr std::uint64_t kLimit = 64 * 1024;

/// Eight-kibibyte messages for alice, whose quota is 64 KiB, by LMTP.
std::vector<std::uint32_t> big(Scene& s, int count) {
  s.history.info.accounts[s.alice - 1].quota = kLimit;
  std::vector<std::uint32_t> out;
  const std::uint32_t mta = s.lmtp();
  for (int i = 0; i < count; ++i) {
    history::MessageInfo made;
    made.set = "filler";
    made.index = static_cast<std::uint32_t>(i + 1);
    made.size = 8192;
    made.hash = 0xf00 + static_cast<std::uint64_t>(i);
    made.sender = s.bob;
    out.push_back(s.history.add_message(made));
    s.deliver(mta, out.back(), s.alice);
  }
  return out;
}

void over_quota(Scene& s, std::uint32_t m) {
  s.deliver(s.lmtp(), m, s.alice, Type::fail, 452, "4.2.2", "mailbox full");
}

void usage(Scene& s, std::uint64_t used, const std::string& root = "User quota") {
  const std::uint32_t session = s.audit(Protocol::imap, s.alice, 2);
  s.obs(What::quota, session, [&](Event& e) {
    e.text = root;
    e.code = "STORAGE";
    e.facts = history::QuotaFacts{used, kLimit};
  });
}

/// By the audit.
void told(Scene& s, const std::string& resource, std::uint64_t used, std::uint64_t limit,
          const std::string& root = "User quota") {
  const std::uint32_t session = s.audit(Protocol::imap, s.alice, 2);
  s.obs(What::quota, session, [&](Event& e) {
    e.text = root;
    e.code = resource;
    e.facts = history::QuotaFacts{used, limit};
  });
}

std::uint32_t sized(Scene& s, std::uint64_t size) {
  history::MessageInfo made = s.history.message(s.message());
  made.size = size;
  return s.history.add_message(made);
}

/// By IMAP, up to 1.75 times the limit.
void append_more(Scene& s, std::vector<std::uint32_t>& mail) {
  const std::uint32_t hand = s.imap(s.phone);
  for (int i = 0; i < 6; ++i) {
    mail.push_back(sized(s, 8192));
    s.append(hand, mail.back());
  }
}

/// A server refuses a client this for want of room, and then lets it copy all that there is.
void copies_beyond(Scene& s, What refused) {
  const auto mail = big(s, 7);
  const std::uint32_t hand = s.watches(s.phone, mail);
  s.ask(
      refused, hand,
      [](Event& e) {
        e.set = "1";
        e.mailbox = "INBOX";
        e.other_mailbox = "Archive";
      },
      Type::fail, [](Event& e) { e.code = "OVERQUOTA"; });
  s.move(What::copy, hand, "1:7", "Archive", Type::ok, "1:7");
  s.audited_beside(Scene::all(mail), "Archive", Scene::all(mail));
}

/// POP3 removes all of a full mailbox, and mail is refused; a phone may still see the first one and move it.
void removed_and_moved(Scene& s, bool seen) {
  const auto mail = big(s, 7);
  const std::uint32_t pop = s.downloads(mail);
  for (std::uint32_t i = 0; i < 7; ++i) s.dele(pop, i + 1, mail[i]);
  s.ask(What::quit, pop);
  s.end(pop);
  over_quota(s, s.message());
  if (!seen) return s.audited({});
  const std::uint32_t hand = s.imap(s.phone);
  s.select(hand, "INBOX", 7);
  for (std::uint32_t i = 0; i < 7; ++i) s.content(hand, mail[i], i + 1, i + 1);
  s.move(What::move, hand, "1:7", "Archive", Type::ok, "1:7");
  for (std::uint32_t i = 7; i > 0; --i) s.expunged(hand, i, i);
  s.both(1, {});
  s.list_imap(s.alice, 1, Scene::all(mail), "Archive");
}

/// By a device, in the middle of its story.
void asked_for_usage(Scene& s, std::uint32_t hand, std::uint64_t used) {
  const std::uint32_t asked = s.put(Type::invoke, What::get_quota, hand).index;
  s.obs(What::quota, hand, [&](Event& e) {
    e.text = "User quota";
    e.code = "STORAGE";
    e.facts = history::QuotaFacts{used, kLimit};
  });
  s.done(asked, Type::ok);
}

const bool kQuota[] = {
    plant("quota/refused-below-limit",
          [](Scene& s) {
            const auto mail = big(s, 2);
            over_quota(s, s.message());
            s.audited(Scene::all(mail));
          }),
    // Seed 539 with pop3.delete-keeps-for-imap: what POP3 removed stays for IMAP, and counts, until a phone moves it.
    silent("refused for what POP3 removed and IMAP still showed, and later moved away",
           [](Scene& s) { removed_and_moved(s, true); }),
    plant("quota/not-freed", [](Scene& s) { removed_and_moved(s, false); }),
    plant("quota/refused-below-limit",  // over IMAP
          [](Scene& s) {
            const auto mail = big(s, 1);
            s.append(s.imap(s.phone), s.message(), "INBOX", Type::fail, "OVERQUOTA");
            s.audited(Scene::all(mail));
          }),
    plant("quota/refused-by-estimate",  // what it counts is more than what is there, from the beginning
          [](Scene& s) {
            const auto mail = big(s, 2);
            asked_for_usage(s, s.watches(s.phone, mail), 60 * 1024);
            over_quota(s, s.message());
            s.audited(Scene::all(mail));
            usage(s, 60 * 1024);
          },
          {"quota/usage-estimated"}),
    plant("expectation/not-asked",  // ... and that it is taken nobody owes
          [](Scene& s) {
            const auto mail = big(s, 2);
            asked_for_usage(s, s.watches(s.phone, mail), 60 * 1024);
            const std::uint32_t m = s.message();
            const std::string set = std::to_string(m);
            const std::uint32_t expected = s.expect(What::outcome, 0, set, [](Event& e) { e.code = "accepted"; });
            over_quota(s, m);
            s.answer(expected, Type::fail, set, "refused: 452 4.2.2 mailbox full");
            s.audited(Scene::all(mail));
            usage(s, 60 * 1024);
          },
          {"quota/refused-by-estimate", "quota/usage-estimated"}),
    plant("quota/refused-by-estimate",  // what it counts is twice what is there, told when most of it had gone again
          [](Scene& s) {
            const auto mail = big(s, 4);
            const std::uint32_t hand = s.watches(s.phone, mail);
            over_quota(s, s.message());
            s.store(hand, "1:3");
            s.expunge(hand);
            asked_for_usage(s, hand, 18 * 1024);
            s.audited({{mail[3], 4}});
            usage(s, 18 * 1024);
          },
          {"quota/usage-estimated"}),
    plant("quota/refused-below-limit",  // ... half as much again: so measured there was room
          [](Scene& s) {
            const auto mail = big(s, 2);
            const std::uint32_t hand = s.watches(s.phone, mail);
            over_quota(s, s.message());
            s.store(hand, "1");
            s.expunge(hand);
            asked_for_usage(s, hand, 13 * 1024);
            s.audited({{mail[1], 2}});
            usage(s, 13 * 1024);
          },
          {"quota/usage-estimated"}),
    plant("quota/refused-below-limit",  // what it counts was right when it was told
          [](Scene& s) {
            const auto mail = big(s, 2);
            asked_for_usage(s, s.watches(s.phone, mail), 16 * 1024);
            over_quota(s, s.message());
            s.audited(Scene::all(mail));
          }),
    plant("quota/not-freed",
          [](Scene& s) {
            const auto mail = big(s, 7);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1:6");
            s.expunge(hand);
            over_quota(s, s.message());
            s.audited({{mail[6], 7}});
          }),
    // Room is decided on before the answer, and the mail may have gone behind that.
    silent("mail goes while a letter is on its way that is refused",
           [](Scene& s) {
             const auto mail = big(s, 7);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.store(hand, "1:6");
             const std::uint32_t mta = s.lmtp(), m = s.message();
             const std::uint32_t asked = s.invoke(What::deliver, mta, [&](Event& e) {
               e.message = m;
               e.text = "lmtp";
             });
             s.expunge(hand);
             s.done(asked, Type::fail, [&](Event& e) {
               e.message = m;
               e.account = s.alice;
               e.facts = history::ReplyFacts{452};
               e.code = "4.2.2";
               e.text = "mailbox full";
             });
             s.audited({{mail[6], 7}});
           }),
    plant("quota/let-over-limit",  // soft, for all that anybody knows
          [](Scene& s) {
            const auto mail = big(s, 14);
            s.audited(Scene::all(mail));
          }),
    plant("quota/accepted-over-limit",  // it refused one for want of room, and then took more
          [](Scene& s) {
            auto mail = big(s, 8);
            over_quota(s, s.message());
            for (const std::uint32_t more : big(s, 6)) mail.push_back(more);
            s.audited(Scene::all(mail));
          }),
    plant("quota/let-over-limit",  // it refuses mail, and what clients append it lets
          [](Scene& s) {
            auto mail = big(s, 8);
            over_quota(s, s.message());
            append_more(s, mail);
            s.audited(Scene::all(mail));
          }),
    plant("quota/accepted-over-limit",  // it refused one APPEND, and let others
          [](Scene& s) {
            auto mail = big(s, 8);
            s.append(s.imap(s.phone), s.message(), "INBOX", Type::fail, "OVERQUOTA");
            append_more(s, mail);
            s.audited(Scene::all(mail));
          }),
    plant("quota/accepted-over-limit",  // it refused one COPY, and let another
          [](Scene& s) { copies_beyond(s, What::copy); }),
    plant("quota/let-over-limit",  // what it refused was a MOVE
          [](Scene& s) { copies_beyond(s, What::move); }),
    // RFC 5321 section 4.5.4.1: what an MTA queued comes after the APPEND, and does not count before.
    silent("a client appends while mail for the mailbox is queued",
           [](Scene& s) {
             s.history.info.accounts[s.alice - 1].quota = kLimit;
             std::vector<std::uint32_t> mail;
             const std::uint32_t out = s.smtp();
             for (int i = 0; i < 13; ++i) {
               mail.push_back(sized(s, 8192));
               s.deliver(out, mail.back(), s.alice);
             }
             const std::uint32_t note = sized(s, 1000);
             s.append(s.imap(s.phone), note);
             mail.push_back(note);
             const std::uint32_t hand = s.watches(s.phone, mail);
             s.store(hand, "1:9");
             s.expunge(hand);
             s.audited({{mail[9], 10}, {mail[10], 11}, {mail[11], 12}, {mail[12], 13}, {note, 14}});
           }),
    // RFC 9208 section 5.2: a limit of messages refuses, too.
    silent("refused with room for octets and none for messages",
           [](Scene& s) {
             const auto mail = big(s, 2);
             told(s, "MESSAGE", 2, 2);
             over_quota(s, s.message());
             s.audited(Scene::all(mail));
             told(s, "MESSAGE", 2, 2);
           }),
    plant("quota/refused-below-limit",
          [](Scene& s) {
            const auto mail = big(s, 2);
            told(s, "MESSAGE", 2, 100);
            over_quota(s, s.message());
            s.audited(Scene::all(mail));
          }),
    plant("quota/messages-wrong",
          [](Scene& s) {
            const auto mail = big(s, 3);
            s.audited(Scene::all(mail));
            told(s, "MESSAGE", 2, 1000);
          }),
    plant("quota/messages-differ",  // more: there may be mailboxes that nobody sees
          [](Scene& s) {
            const auto mail = big(s, 3);
            s.audited(Scene::all(mail));
            told(s, "MESSAGE", 5, 1000);
          }),
    plant("quota/usage-late",  // right after a change, and not asked again
          [](Scene& s) {
            const auto mail = big(s, 3);
            s.both(1, Scene::all(mail));
            told(s, "MESSAGE", 0, 1000);
          }),
    silent("as many as there are, of one of several roots",
           [](Scene& s) {
             const auto mail = big(s, 3);
             s.audited(Scene::all(mail));
             told(s, "MESSAGE", 3, 1000);
             told(s, "MESSAGE", 400, 100000, "domain");
           }),
    plant("quota/wrong-reason",
          [](Scene& s) {
            const auto mail = big(s, 7);
            s.deliver(s.lmtp(), s.message(), s.alice, Type::fail, 550, "5.1.1", "no such user");
            s.audited(Scene::all(mail));
          }),
    plant("quota/usage-estimated",  // too much, from the beginning
          [](Scene& s) {
            const auto mail = big(s, 2);
            s.audited(Scene::all(mail));
            usage(s, 40960);
          }),
    plant("quota/usage-wrong",  // wrapped below zero
          [](Scene& s) {
            const auto mail = big(s, 2);
            s.audited(Scene::all(mail));
            usage(s, static_cast<std::uint64_t>(-1024));
          }),
    // What is in there counts, and nobody knows how much it is.
    silent("the usage beside a mailbox that could not be opened in the audit",
           [](Scene& s) {
             const auto mail = big(s, 2);
             s.audited(Scene::all(mail));
             usage(s, 60 * 1024);
             const std::uint32_t asked =
                 s.invoke(What::examine, s.audit(Protocol::imap, s.alice, 2), [](Event& e) { e.mailbox = "Projects"; });
             s.done(asked, Type::fail, [](Event& e) {
               e.mailbox = "Projects";
               e.text = "mailbox is locked";
             });
           }),
    plant("quota/usage-estimated",  // too little
          [](Scene& s) {
            const auto mail = big(s, 3);
            s.audited(Scene::all(mail));
            usage(s, 1024);
          }),
    plant("quota/usage-late",  // six were expunged, and the usage is told as before
          [](Scene& s) {
            const auto mail = big(s, 7);
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.store(hand, "1:6");
            s.expunge(hand);
            asked_for_usage(s, hand, 56 * 1024);
            s.audited({{mail[6], 7}});
            usage(s, 9216);
          }),
    plant("quota/usage-wrong",  // ... for ever, where it was right before: one finding
          [](Scene& s) {
            const auto mail = big(s, 7);
            const std::uint32_t hand = s.watches(s.phone, mail);
            asked_for_usage(s, hand, 56 * 1024);
            s.store(hand, "1:6");
            s.expunge(hand);
            asked_for_usage(s, hand, 56 * 1024);
            s.audited({{mail[6], 7}});
            usage(s, 56 * 1024);
          }),
    plant("quota/others-mail",
          [](Scene& s) {
            const auto mail = big(s, 2);
            over_quota(s, s.message());
            const std::uint32_t hand = s.watches(s.phone, mail);
            s.obs(What::exists, hand, [](Event& e) { e.facts = history::ExistsFacts{3, 2}; });
            s.content(hand, 0, 3, 3, "header");
            s.audited(Scene::all(mail));
          }),
    plant("quota/usage-changed",
          [](Scene& s) {
            const auto mail = big(s, 2);
            s.audited(Scene::all(mail));
            const std::uint32_t session = s.audit(Protocol::imap, s.alice, 2);
            for (const std::uint64_t used : {16384U, 40960U})
              s.obs(What::quota, session, [&](Event& e) {
                e.text = "User quota";
                e.code = "STORAGE";
                e.facts = history::QuotaFacts{used, kLimit};
              });
          }),
    plant("quota/not-told",
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.expect(What::usage, 0, "", [&](Event& e) { e.account = s.alice; });
            s.audited(Scene::all(mail));
          }),
};

const bool kFreed = silent("the usage falls with what is expunged", [](Scene& s) {
  const auto mail = big(s, 7);
  const std::uint32_t hand = s.watches(s.phone, mail);
  asked_for_usage(s, hand, 58 * 1024);
  s.store(hand, "1:6");
  s.expunge(hand);
  asked_for_usage(s, hand, 9216);
  s.audited({{mail[6], 7}});
  usage(s, 9216);
});

}  // namespace
}  // namespace mailproof::judge
