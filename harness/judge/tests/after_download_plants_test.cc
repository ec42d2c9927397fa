// What was downloaded and not marked, and went with QUIT: a site's choice (RFC 1939 section 8, RFC 2449 section 6.7).
#include <gtest/gtest.h>

#include "history/announced.h"
#include "judge/tests/plant.h"

namespace mailproof::judge {
namespace {

void declares(Scene& s, Pop3Download policy) { s.history.info.pop3_download = policy; }

/// A login whose CAPA said this of EXPIRE.
void announces(Scene& s, std::uint32_t session, std::string_view what) {
  s.ask(What::connect, session, {}, Type::ok, [what](Event& e) { e.code = what; });
}

/// pc downloads these, marks none, and QUITs.
void downloads_all(Scene& s, const std::vector<std::uint32_t>& mail, std::string_view announced = "") {
  const std::uint32_t pop = s.downloads(mail);
  if (!announced.empty()) announces(s, pop, announced);
  s.ask(What::quit, pop);
  s.end(pop);
}

/// A login of pc that still finds the first one.
void finds_again(Scene& s, const std::vector<std::uint32_t>& mail) {
  const std::uint32_t pop = s.pop3(s.pc);
  announces(s, pop, "");
  s.uidl_row(pop, 1, s.uidl(1));
  s.pop_content(pop, mail[0], 1, s.uidl(1));
}

const bool kDownloads[] = {
    plant("removal/gone-after-download",
          [](Scene& s) {
            const auto mail = s.accepted(2);
            downloads_all(s, mail);
            s.audited({});
          }),
    plant("removal/gone-after-download",  // beside one that was marked, and one that nobody downloaded
          [](Scene& s) {
            const auto mail = s.accepted(3);
            const std::uint32_t pop = s.downloads({mail[0], mail[1]});
            s.dele(pop, 1, mail[0]);
            s.ask(What::quit, pop);
            s.end(pop);
            s.both(1, {{mail[2], 3}});  // which downloads it
            s.settle();
            s.both(2, {});
          }),
    plant("removal/gone-after-download",  // two copies of one message, both downloaded
          [](Scene& s) {
            const auto mail = s.accepted(1);
            s.deliver(s.lmtp(), mail[0], s.alice);
            downloads_all(s, {mail[0], mail[0]});
            s.audited({});
          }),
    silent("what was downloaded goes with QUIT, as the target file says",
           [](Scene& s) {
             declares(s, Pop3Download::removes);
             downloads_all(s, s.accepted(2));
             s.audited({});
           }),
    silent("what was downloaded goes with QUIT, as EXPIRE 0 says",
           [](Scene& s) {
             downloads_all(s, s.accepted(2), history::kExpiresAtOnce);
             s.audited({});
           }),
    silent("what was downloaded stays where EXPIRE 0 says that it may go",
           [](Scene& s) {
             const auto mail = s.accepted(1);
             downloads_all(s, mail, history::kExpiresAtOnce);
             finds_again(s, mail);
             s.audited(Scene::all(mail));
           }),
    plant("expectation/not-asked",  // what is expected of it, nobody owes
          [](Scene& s) {
            declares(s, Pop3Download::removes);
            downloads_all(s, s.accepted(1));
            s.fate("1", {.fate = Fate::present});
            s.audited({});
          }),
    plant("removal/not-as-declared",  // it stays, and the file says that it goes
          [](Scene& s) {
            declares(s, Pop3Download::removes);
            const auto mail = s.accepted(1);
            downloads_all(s, mail);
            finds_again(s, mail);
            s.audited(Scene::all(mail));
          }),
    plant("removal/more-than-marked",  // it goes, and the file says that it stays
          [](Scene& s) {
            declares(s, Pop3Download::keeps);
            downloads_all(s, s.accepted(1));
            s.audited({});
          }),
    plant("removal/more-than-marked",  // EXPIRE NEVER is a promise
          [](Scene& s) {
            downloads_all(s, s.accepted(1), history::kRetains);
            s.audited({});
          }),
    plant("removal/more-than-marked",  // no policy: of two that were downloaded one stays
          [](Scene& s) {
            const auto mail = s.accepted(2);
            downloads_all(s, mail);
            s.audited({{mail[1], 2}});
          }),
    plant("removal/without-quit",  // RFC 1939 section 8: it is important not to delete without QUIT
          [](Scene& s) {
            const std::uint32_t pop = s.downloads(s.accepted(1));
            s.end(pop);
            s.audited({});
          }),
    plant("loss/lost",  // nobody downloaded the second one
          [](Scene& s) {
            declares(s, Pop3Download::removes);
            const auto mail = s.accepted(2);
            downloads_all(s, {mail[0]});
            s.audited({});
          }),
};

bool kept(const std::function<void(Scene&)>& plays) {
  Scene s;
  plays(s);
  return judge(s.history, false).kept_download;
}

TEST(AfterDownload, WhatALaterLoginFindsAgainWasKept) {
  EXPECT_TRUE(kept([](Scene& s) {
    const auto mail = s.accepted(1);
    downloads_all(s, mail);
    finds_again(s, mail);
  }));
  EXPECT_FALSE(kept([](Scene& s) { downloads_all(s, s.accepted(1)); })) << "nobody looked";
  EXPECT_FALSE(kept([](Scene& s) {
    declares(s, Pop3Download::keeps);
    const auto mail = s.accepted(1);
    downloads_all(s, mail);
    finds_again(s, mail);
  })) << "the target file says so, and nothing needs to be found out";
}

}  // namespace
}  // namespace mailproof::judge
