// A mailbox that was made under a name is listed under that name, can be opened, and is gone when it was deleted. What
// names a server takes is its own affair.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "history/not_now.h"
#include "judge/case.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

using history::Event;
using history::Type;
using history::What;

/// "INBOX" is it in any case (RFC 3501 section 5.1); a separator at the end only announces what will be below it
/// (section 6.3.3); a server may take no notice of case. What people write as / is the server's own separator, and so
/// may be a dot in front: what a level without a name is no RFC says, and servers leave it out.
std::string same(std::string_view name) {
  if (name.size() > 1 && (name.back() == '/' || name.back() == '.')) name.remove_suffix(1);
  std::string out = lower(name);
  std::replace(out.begin(), out.end(), '.', '/');
  if (out.size() > 1 && out.front() == '/') out.erase(0, 1);
  return out;
}

bool at_or_below(std::string_view name, std::string_view top) {
  return istarts_with(name, top) && (name.size() == top.size() || name[top.size()] == '/' || name[top.size()] == '.');
}

class Mailboxes {
 public:
  explicit Mailboxes(Case& c) : c_(c) {}

  void apply(const Event& e) {
    if (e.session == 0) return;
    Account& of = accounts_[c_.history.account_of(e)];
    switch (e.what) {
      case What::create:
        if (e.type == Type::invoke) may_come(of, e.mailbox);
        note(of.making, c_.invoke(e).mailbox, e);
        if (e.type == Type::ok) made(of, e);
        break;
      case What::remove:
      case What::rename:
        if (e.what == What::rename && e.type == Type::ok) renamed(of, e);
        if (e.type == Type::invoke) forget(of, e);
        note(of.unmaking, c_.invoke(e).mailbox, e);
        if (e.what == What::rename) {
          if (e.type == Type::invoke) may_come(of, e.other_mailbox);
          note(of.making, c_.invoke(e).other_mailbox, e);
          note(of.unmaking, c_.invoke(e).other_mailbox, e);
        }
        if (e.type == Type::ok) of.converted.erase(same(c_.invoke(e).mailbox));  // OLDNAME told of the change of name
        // Mailboxes that a server gives to everybody it may give again at once: only what a client made must be gone.
        if (e.type == Type::ok && e.what == What::remove && of.ours.contains(same(c_.invoke(e).mailbox)) &&
            !crossed(of.making, e,
                     [&](const std::string& name) { return at_or_below(name, same(c_.invoke(e).mailbox)); }))
          of.removed[same(c_.invoke(e).mailbox)] = e.index;
        break;
      case What::list:
        if (e.type == Type::invoke) listing_[e.session] = {};
        if (e.type == Type::ok) listed(of, e);
        break;
      case What::mailbox:
        listing_[e.session][same(e.mailbox)] = {e.mailbox, e.flags};
        if (!e.other_mailbox.empty()) converted(of, e);
        break;
      case What::select:
      case What::examine:
        if (e.type == Type::ok) of.refused.erase(same(c_.invoke(e).mailbox));
        if (e.type == Type::fail && !never_asked(e) && !history::says_not_now(e.code))
          of.refused.try_emplace(same(c_.invoke(e).mailbox), e.index);
        break;
      default:
        break;
    }
  }

  /// A mailbox may be missing where it is not known yet, and may be opened later.
  void end() {
    for (const auto& [account, of] : accounts_)
      for (const auto& [name, event] : of.refused) refused(of, c_.history.event(event));
  }

 private:
  struct Made {
    std::string name;
    std::uint32_t event = 0;
    bool found = false;  ///< in a listing
  };
  struct Listed {
    std::string name, attributes;
  };
  /// What was asked of a name: how many of these are under way, or were never answered, and the newest event of them.
  struct Asked {
    int open = 0;
    std::uint32_t newest = 0;
  };
  using AskedOf = std::map<std::string, Asked>;
  struct Account {
    AskedOf making, unmaking;  ///< CREATE, and DELETE; RENAME is both
    std::map<std::string, Made> made;
    std::map<std::uint32_t, std::vector<std::string>> below;  ///< by RENAME: what was made below the old name
    std::map<std::string, std::uint32_t> removed;
    std::set<std::string> known;                   ///< in the listing before
    std::map<std::string, std::string> converted;  ///< by the name that was asked for
    std::set<std::string> ours;                    ///< made by a client, whatever came of it later
    std::map<std::string, std::uint32_t> refused;  ///< SELECT or EXAMINE, and was not opened since
  };

  static void note(AskedOf& asked, const std::string& name, const Event& e) {
    Asked& of = asked[same(name)];
    of.newest = e.index;
    if (e.type == Type::invoke) ++of.open;
    if (e.type == Type::ok || e.type == Type::fail) --of.open;
  }

  /// Whether one of these overlaps with what this event answers: which came first nobody knows then.
  template <class Concerns>
  static bool crossed(const AskedOf& asked, const Event& e, Concerns&& concerns) {
    return std::any_of(asked.begin(), asked.end(), [&](const auto& one) {
      return (one.second.open > 0 || one.second.newest > e.command) && concerns(one.first);
    });
  }

  /// A CREATE or RENAME may have made it whatever is answered, and with it the names above it (RFC 3501 sections 6.3.3
  /// and 6.3.5).
  static void may_come(Account& of, const std::string& name) {
    std::erase_if(of.removed, [&](const auto& one) { return at_or_below(same(name), one.first); });
  }

  void made(Account& of, const Event& e) {
    const std::string& name = c_.invoke(e).mailbox;
    of.ours.insert(same(name));
    if (crossed(of.unmaking, e, [&](const std::string& gone) { return at_or_below(same(name), gone); })) return;
    const auto told = of.converted.find(same(name));
    const std::string& now = told == of.converted.end() ? name : told->second;
    of.made[same(now)] = {now, e.index, false};
  }

  /// RFC 3501 section 6.3.5: OK means that the mailbox has its new name, and that what was below the old one is below
  /// that. Where another DELETE or RENAME of these names is under way, nobody knows.
  void renamed(Account& of, const Event& e) {
    const Event& asked = c_.invoke(e);
    const auto known = [&](const std::string& name, const std::string& was) {
      if (name.empty() || std::any_of(of.unmaking.begin(), of.unmaking.end(), [&](const auto& one) {
            const bool own = one.first == same(asked.mailbox) || one.first == same(asked.other_mailbox);
            return (one.second.open > (own ? 1 : 0) || one.second.newest > e.command) &&
                   (at_or_below(same(name), one.first) || at_or_below(same(was), one.first) || own);
          }))
        return;
      of.ours.insert(same(name));
      of.made[same(name)] = {name, e.index, false};
    };
    known(asked.other_mailbox, asked.mailbox);
    for (const std::string& name : of.below[e.command])
      known(asked.other_mailbox + name.substr(asked.mailbox.size()), name);
    of.below.erase(e.command);
  }

  /// RFC 9051 section 6.3.4: a server may convert the name that CREATE was given, and then says so with OLDNAME. It may
  /// say so before CREATE is answered, or whenever the mailbox is listed (section 6.3.9.7).
  void converted(Account& of, const Event& e) {
    const std::string was = same(e.other_mailbox);
    of.converted[was] = e.mailbox;
    const auto made = of.made.find(was);
    if (made == of.made.end() || was == same(e.mailbox)) return;
    Made under{e.mailbox, made->second.event, made->second.found};
    of.made.erase(made);
    of.made[same(e.mailbox)] = std::move(under);
  }

  /// Whatever comes of it: what was made there is no longer expected.
  void forget(Account& of, const Event& e) {
    for (auto at = of.refused.begin(); at != of.refused.end();) {
      const bool gone = at_or_below(at->first, same(e.mailbox));
      if (gone) refused(of, c_.history.event(at->second));
      at = gone ? of.refused.erase(at) : std::next(at);
    }
    // What is below INBOX a RENAME of it leaves there, for who can have that (RFC 3501 section 6.3.5).
    const bool takes_along = e.what == What::rename && !iequals(e.mailbox, "INBOX");
    for (const auto& [key, made] : of.made)
      if (takes_along && made.name.size() > e.mailbox.size() && at_or_below(made.name, e.mailbox))
        of.below[e.index].push_back(made.name);
    std::erase_if(of.made, [&](const auto& one) { return at_or_below(one.second.name, e.mailbox); });
    for (const std::string& name : {e.mailbox, e.other_mailbox}) {
      of.removed.erase(same(name));
      const auto told = of.converted.find(same(name));
      if (told == of.converted.end()) continue;
      std::erase_if(of.made, [&](const auto& one) { return at_or_below(one.second.name, told->second); });
      of.converted.erase(told);
    }
  }

  void listed(Account& of, const Event& e) {
    const auto& found = listing_[e.session];
    std::string instead;
    for (const auto& [name, row] : found)
      if (!of.known.contains(name) && !of.made.contains(name) && !of.known.empty())
        instead += fmt::format("{}\"{}\"", instead.empty() ? "" : ", ", printable(row.name, 100));
    for (auto& [key, made] : of.made) {
      if (made.event > e.command) continue;
      made.found = made.found || found.contains(key);
      if (found.contains(key)) continue;
      c_.find(
          "not-listed",
          {fmt::format("\"{}\", made at {}, in LIST", printable(made.name, 100), c_.when(c_.history.event(made.event))),
           fmt::format("{} at {}: LIST does not have \"{}\"{}{}", c_.who(e), c_.when(e), printable(made.name, 100),
                       instead.empty() ? "" : "; what nobody has made stands there: ", instead),
           {made.event, e.index},
           0,
           ""});
    }
    for (const auto& [key, event] : of.removed) {
      const auto still = found.find(key);
      if (still == found.end() || event > e.command || !selectable(still->second.attributes)) continue;
      c_.find("still-listed",
              {fmt::format("\"{}\" gone from LIST", printable(still->second.name, 100)),
               fmt::format("{} at {}: LIST has it, with ({})", c_.who(e), c_.when(e), still->second.attributes),
               {event, e.index},
               0,
               ""});
    }
    for (const auto& [name, row] : found) of.known.insert(name);
  }

  /// A name that was deleted may stay where others are below it (RFC 3501 section 6.3.4), or for who subscribed.
  static bool selectable(std::string_view attributes) {
    const std::string all = lower(attributes);
    return all.find("\\noselect") == std::string::npos && all.find("\\nonexistent") == std::string::npos;
  }

  void refused(const Account& of, const Event& e) {
    const auto made = of.made.find(same(c_.invoke(e).mailbox));
    if (made == of.made.end() || made->second.event > e.command || made->second.name.empty()) return;
    const char last = made->second.name.back();
    if (last == '/' || last == '.') return;
    c_.find("not-selectable", {fmt::format("OK: \"{}\" was made at {}", printable(made->second.name, 100),
                                           c_.when(c_.history.event(made->second.event))),
                               fmt::format("{} at {}: {}", c_.who(e), c_.when(e), printable(e.text, 200)),
                               {made->second.event, e.index},
                               0,
                               ""});
  }

  Case& c_;
  std::map<std::uint32_t, Account> accounts_;
  std::map<std::uint32_t, std::map<std::string, Listed>> listing_;  ///< by session
};

}  // namespace

void judge_mailboxes(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "mailboxes", out);
  Mailboxes mailboxes(c);
  for (const Event& e :
       history.about(What::create, What::remove, What::rename, What::list, What::mailbox, What::select, What::examine))
    mailboxes.apply(e);
  mailboxes.end();
}

}  // namespace mailproof::judge
