// I28: what a POP3 session is told of numbers, counts and sizes holds together. I31: sizes and TOP are exact.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "judge/by_number.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

struct Talk {
  ByNumber<std::pair<std::uint64_t, std::uint32_t>> sizes;  ///< octets, event
  ByNumber<std::uint32_t> uidls, messages;                  ///< the first event that tells it
  ByNumber<std::uint32_t> listing;                          ///< the LIST that has it, the newest one
  std::size_t listed = 0;                                   ///< of how many numbers
  std::set<std::uint32_t> marked, maybe_marked;
  std::uint32_t listing_of = 0, newest_list = 0;  ///< commands
  std::uint32_t listings = 1;                     ///< the number of the newest
  bool reset = false;                             ///< RSET was answered OK since then
  std::uint64_t sum = 0;
  std::uint32_t stat = 0;  ///< event of the newest STAT since anything was marked or unmarked
  bool list_holds = false;
  std::map<std::uint32_t, std::uint32_t> without_id;  ///< by number: the end of a UIDL that left it out
};

struct Maildrop {
  Case& c;
  std::map<std::uint32_t, Talk> talks;

  void changed(const std::string& expected, const std::string& actual, std::uint32_t before, const Event& e,
               std::uint32_t message = 0) {
    c.find("numbering-changed",
           {expected, fmt::format("{} at {} is told {}", c.who(e), c.when(e), actual), {before, e.index}, message, ""});
  }

  void still_told(const Talk& talk, const Event& e, std::uint32_t number, std::string_view how) {
    if (!talk.marked.contains(number)) return;
    c.find("deleted-still-told", {fmt::format("nothing of number {}: it is marked as deleted", number),
                                  fmt::format("{} is told of it by {} at {}", c.who(e), how, c.when(e)),
                                  {e.index},
                                  0,
                                  ""});
  }

  void list_row(Talk& talk, const Event& e) {
    if (e.seq == 0) return;
    still_told(talk, e, e.seq, "LIST");
    const auto [size, fresh] = talk.sizes.place(e.seq);
    if (fresh) size = {e.size, e.index};
    if (size.first != e.size)
      changed(fmt::format("number {} has {} octets", e.seq, size.first), fmt::format("{} octets", e.size), size.second,
              e);
    if (talk.listing_of != talk.newest_list) begin_listing(talk, talk.newest_list);
    std::uint32_t& in = talk.listing[e.seq];
    if (std::exchange(in, talk.listings) == talk.listings) return;
    ++talk.listed;
    talk.sum += e.size;
  }

  void uidl_row(Talk& talk, const Event& e) {
    if (e.seq == 0) return;
    still_told(talk, e, e.seq, "UIDL");
    const auto [first, fresh] = talk.uidls.place(e.seq);
    if (fresh) first = e.index;
    const std::string& before = c.history.event(first).text;
    if (!fresh && before != e.text)
      changed(fmt::format("number {} has the unique-id {}", e.seq, before), e.text, first, e);
  }

  void content(Talk& talk, const Event& e) {
    if (e.seq == 0 || e.message == 0) return;
    const auto [first, fresh] = talk.messages.place(e.seq);
    if (fresh) first = e.index;
    const std::uint32_t before = c.history.event(first).message;
    if (!fresh && !c.may_be_one(before, e.message))
      changed(fmt::format("number {} is {}", e.seq, c.name_of(before)), c.name_of(e.message), first, e, e.message);
  }

  void compare(const Talk& talk, const Event& stat, const Event& at) {
    const std::uint32_t messages = stat.get<history::CountFacts>().messages;
    if (messages == talk.listed && stat.size == talk.sum) return;
    c.find("stat-not-sum", {fmt::format("STAT {} {}, as LIST tells", talk.listed, talk.sum),
                            fmt::format("{} is told STAT {} {} at {}", c.who(stat), messages, stat.size, c.when(stat)),
                            {stat.index, at.index},
                            0,
                            ""});
  }

  void retr(Talk& talk, const Event& e, std::uint32_t number) {
    still_told(talk, e, number, "RETR");
    const auto* known = talk.sizes.find(number);
    if (known == nullptr || known->first == e.size) return;
    // RFC 1939 speaks of messages in the format of RFC 822, whose lines all have an end. Where the last one has none,
    // which APPEND and BDAT can store, LIST may count the line end that RETR has to add, or not.
    const bool stored_as_sent =
        e.message != 0 && !c.history.info.recorded && c.history.message(e.message).size == known->first;
    if (stored_as_sent && e.size == known->first + 2) return;
    c.find("retr-size", {fmt::format("{} octets for number {}, as LIST says", known->first, number),
                         fmt::format("RETR brings {} octets to {} at {}", e.size, c.who(e), c.when(e)),
                         {known->second, e.index},
                         e.message,
                         ""});
  }

  void top(Talk& talk, const Event& e, const Event& asked) {
    still_told(talk, e, asked.seq, "TOP");
    if (e.message == 0 || c.history.info.recorded) return;  // how many lines others' mail has is not known
    const std::uint32_t lines = asked.get<history::TopFacts>().lines_asked;
    const std::uint64_t expected = std::min<std::uint64_t>(lines, c.history.message(e.message).body_lines);
    const std::uint64_t came = e.get<history::TopFacts>().body_lines;
    if (came == expected) return;
    c.find("top-lines",
           {fmt::format("the header, the blank line and {} body lines of {}", expected, c.name_of(e.message)),
            fmt::format("TOP {} {} brings {} body lines to {} at {}", asked.seq, lines, came, c.who(e), c.when(e)),
            {e.index},
            e.message,
            ""});
  }

  /// After RSET everything that was listed before is listed again.
  void restored(const Talk& talk, const Event& e) {
    talk.sizes.for_each([&](std::uint32_t number, const auto& size) {
      const std::uint32_t* in = talk.listing.find(number);
      if (in != nullptr && *in == talk.listings) return;
      c.find("rset-does-not-restore", {fmt::format("number {} is listed again after RSET", number),
                                       fmt::format("the LIST of {} at {} does not have it", c.who(e), c.when(e)),
                                       {size.second, e.index},
                                       0,
                                       ""});
    });
  }

  void apply(const Event& e) {
    Talk& talk = talks[e.session];
    const Event& asked = c.invoke(e);
    switch (e.what) {
      case What::pop_list:
        if (e.type == Type::invoke && e.seq == 0) talk.newest_list = e.index;
        if (e.type == Type::obs) list_row(talk, e);
        if (e.type == Type::ok && asked.seq == 0) list_done(talk, e);
        break;
      case What::pop_uidl:
        if (e.type == Type::obs) uidl_row(talk, e);
        if (e.type == Type::ok && asked.seq == 0) uidl_done(talk, e);
        break;
      case What::message:
        content(talk, e);
        break;
      case What::stat:
        if (e.type != Type::ok || !talk.maybe_marked.empty()) break;
        talk.stat = e.index;
        if (talk.list_holds) compare(talk, e, e);
        break;
      case What::retr:
        if (e.type == Type::ok) retr(talk, e, asked.seq);
        break;
      case What::top:
        if (e.type == Type::ok) top(talk, e, asked);
        break;
      case What::dele:
        if (e.type == Type::invoke) break;
        talk.stat = 0;
        talk.list_holds = false;
        if (e.type == Type::ok) talk.marked.insert(asked.seq);
        if (e.type == Type::info) talk.maybe_marked.insert(asked.seq);
        break;
      case What::rset:
        if (e.type == Type::invoke) break;
        talk.stat = 0;
        talk.list_holds = false;
        if (e.type == Type::fail) break;
        if (e.type == Type::info) talk.maybe_marked.insert(talk.marked.begin(), talk.marked.end());
        talk.marked.clear();
        if (e.type == Type::info) break;
        talk.maybe_marked.clear();
        talk.reset = true;
        break;
      default:
        break;
    }
  }

  /// RFC 1939 section 7: a line "for each message in the maildrop".
  void uidl_done(Talk& talk, const Event& e) {
    if (!talk.list_holds) return;
    talk.listing.for_each([&](std::uint32_t number, std::uint32_t listing) {
      if (listing == talk.listings && !talk.marked.contains(number) && !talk.uidls.contains(number))
        talk.without_id.try_emplace(number, e.index);
    });
  }

  /// What somebody may have removed since the login a server need not go on showing to all.
  void tell_without_id() {
    for (const auto& [session, talk] : talks)
      for (const auto& [number, event] : talk.without_id) {
        const Event& e = c.history.event(event);
        const auto* seen = talk.messages.find(number);
        const std::uint32_t message = seen == nullptr ? 0 : c.history.event(*seen).message;
        const auto* cell = message == 0 ? nullptr : c.ledger.find(message, c.history.account_of(e), "INBOX");
        if (cell == nullptr || cell->removes + cell->maybe_removes > 0) continue;
        c.find("uidl-missing", {fmt::format("a unique-id for number {}, which LIST has", number),
                                fmt::format("the UIDL of {} at {} leaves it out", c.who(e), c.when(e)),
                                {talk.sizes.find(number)->second, event, *seen},
                                message,
                                ""});
      }
  }

  void begin_listing(Talk& talk, std::uint32_t command) {
    talk.listed = 0;
    talk.sum = 0;
    talk.listing_of = command;
    ++talk.listings;
  }

  void list_done(Talk& talk, const Event& e) {
    if (talk.listing_of != e.command) {  // an empty listing has no rows
      talk.newest_list = e.command;
      begin_listing(talk, e.command);
    }
    if (!talk.maybe_marked.empty()) return;
    talk.list_holds = true;
    if (std::exchange(talk.reset, false) && talk.marked.empty()) restored(talk, e);
    if (talk.stat != 0) compare(talk, c.history.event(talk.stat), e);
  }
};

}  // namespace

void judge_pop3_session(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "pop3-session", out);
  Maildrop maildrop{c, {}};
  for (const Event& e : history.about(What::pop_list, What::pop_uidl, What::message, What::stat, What::retr, What::top,
                                      What::dele, What::rset))
    if (e.session != 0 && history.session(e.session).protocol == Protocol::pop3) maildrop.apply(e);
  if (!history.info.recorded) maildrop.tell_without_id();
}

}  // namespace mailproof::judge
