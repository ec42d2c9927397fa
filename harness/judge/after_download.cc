// What was downloaded and went with QUIT. The choices that RFC 1939 section 8 and RFC 2449 section 6.7 leave open:
// - it stays, or it goes with the QUIT (EXPIRE 0: "MAY assume an implicit DELE", so that both are right);
// - goes what RETR sent; what TOP showed, or a session that ended without QUIT had, stays;
// - CAPA says EXPIRE, or says nothing of it: a site may have the policy without RFC 2449. Where it says NEVER, or a
//   number of days, it has promised to keep it.
#include "judge/after_download.h"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <set>
#include <utility>

#include "history/announced.h"
#include "judge/by_number.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Cell;
using history::Event;
using history::Type;
using history::What;

struct Talk {
  ByNumber<std::uint32_t> downloaded;  ///< number -> message
  std::set<std::uint32_t> marked;      ///< numbers
  bool announced = false;
};

/// Message and account -> the first QUIT, answered OK, of a session that had downloaded it and not marked it.
using Downloads = boost::unordered_flat_map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t>;
Downloads downloads(const Case& c) {
  Downloads out;
  std::map<std::uint32_t, Talk> talks;
  for (const Event& e : c.history.about(What::connect, What::message, What::dele, What::rset, What::quit)) {
    if (e.session == 0 || c.history.session(e.session).protocol != Protocol::pop3) continue;
    Talk& talk = talks[e.session];
    if (e.what == What::connect && e.type == Type::ok)
      talk.announced = e.code == history::kExpiresAtOnce || e.code == history::kRetains;
    if (e.what == What::message && e.code == "full" && e.message != 0) talk.downloaded[e.seq] = e.message;
    if (e.what == What::dele && (e.type == Type::ok || e.type == Type::info)) talk.marked.insert(c.invoke(e).seq);
    if (e.what == What::rset && e.type == Type::ok) talk.marked.clear();
    if (e.what != What::quit || e.type != Type::ok || talk.announced) continue;
    talk.downloaded.for_each([&](std::uint32_t number, std::uint32_t message) {
      if (!talk.marked.contains(number)) out.try_emplace({message, c.history.account_of(e)}, e.index);
    });
  }
  return out;
}

}  // namespace

std::uint32_t found_after(const Case& c, std::uint32_t message, std::uint32_t account, std::uint32_t quit) {
  std::map<std::uint32_t, std::uint32_t> login;
  const auto concerned = c.history.where([](history::Kind kind) {
    return completes(kind.type) || kind.what == What::connect || kind.what == What::message;
  });
  for (const Event& e : concerned) {
    if (e.command == quit && completes(e)) login.clear();  // who came in before it was answered sees what was there
    if (e.index <= quit || e.session == 0 || c.history.account_of(e) != account) continue;
    if (c.history.session(e.session).protocol != Protocol::pop3) continue;
    if (e.what == What::connect && e.type == Type::ok) login[e.session] = e.index;
    if (e.what == What::message && e.message == message && login.contains(e.session)) return e.index;
  }
  return 0;
}

bool keeps_what_was_downloaded(const history::History& history, const history::Ledger& ledger) {
  if (history.info.pop3_download || history.info.recorded) return false;
  Findings none;
  const Case c(history, ledger, "removal", none);
  const auto left = downloads(c);
  return std::any_of(left.begin(), left.end(), [&](const auto& one) {
    const auto& [which, quit] = one;
    const auto& [message, account] = which;
    const Cell* cell = ledger.find(message, account, "INBOX");
    const bool single = cell != nullptr && cell->adds + cell->maybe_adds == 1;  // else another copy may be the one seen
    return single && found_after(c, message, account, quit) != 0;
  });
}

bool removes_what_was_downloaded(const history::History& history, const history::Ledger& ledger) {
  if (history.info.pop3_download || history.info.recorded) return false;
  // Most often nothing is missing, and nothing needs to be looked for.
  const auto gone = [](const Cell& cell) {
    return cell.enumerated && (cell.in_pop ? cell.present_pop : cell.present) < cell.least();
  };
  const auto& cells = ledger.cells();
  if (std::none_of(cells.begin(), cells.end(), gone)) return false;
  Findings none;
  const Case c(history, ledger, "removal", none);
  bool any = false;
  for (const auto& [which, quit] : downloads(c)) {
    const auto& [message, account] = which;
    const Cell* cell = ledger.find(message, account, "INBOX");
    if (cell == nullptr) continue;
    const bool there = cell->enumerated && (cell->in_pop ? cell->present_pop : cell->present) > 0;
    const bool single = cell->adds + cell->maybe_adds == 1;  // else another copy may be the one that is seen
    if (single && (there || found_after(c, message, account, quit) != 0)) return false;
    any |= !there && gone(*cell);
  }
  return any;
}

}  // namespace mailproof::judge
