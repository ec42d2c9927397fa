#include "judge/strangers.h"

#include <fmt/format.h>

#include <set>
#include <tuple>

namespace mailproof::judge {

using history::Event;
using history::What;

namespace {

/// Where reports about our own mail stand: account, mailbox, UID. Their headers do not show it, and come first. The
/// event's own account is whose mail was reported on, the session's is who holds the report.
std::set<std::tuple<std::uint32_t, std::string, std::uint32_t>> reports_about_us(const Case& c) {
  std::set<std::tuple<std::uint32_t, std::string, std::uint32_t>> out;
  for (const Event& e : c.history.about(What::report))
    if (e.message != 0 && e.uid != 0 && e.session != 0)
      out.insert({c.history.session(e.session).account, e.mailbox, e.uid});
  return out;
}

}  // namespace

/// A report about our own mail is no stranger; what its header alone does not show, its text showed before.
Strangers::Strangers(const Case& c) {
  const auto reports = reports_about_us(c);
  std::map<std::uint32_t, std::set<std::uint32_t>> in_view;  // session -> UIDs or numbers of the open mailbox
  std::map<std::uint32_t, std::set<std::uint32_t>> about_us;
  std::set<std::tuple<std::uint32_t, std::string, std::uint32_t, std::uint32_t>> before;  // ..., UIDVALIDITY, UID
  bool began = false;  // what was there before is looked at before the first step
  for (const Event& e : c.history.about(What::step, What::talk, What::select, What::examine, What::report,
                                        What::message, What::expunged, What::enumerated)) {
    began |= e.what == What::step || e.what == What::talk;
    if (e.session == 0) continue;
    const std::uint32_t holder = c.history.session(e.session).account;
    const std::uint32_t where = c.history.session(e.session).protocol == Protocol::pop3 ? e.seq : e.uid;
    switch (e.what) {
      case What::select:
      case What::examine:
        in_view.erase(e.session);
        about_us.erase(e.session);
        break;
      case What::report:
        if (e.message == 0) break;
        about_us[e.session].insert(where);
        in_view[e.session].erase(where);
        break;
      case What::message:
        if (e.message != 0 || about_us[e.session].contains(where)) break;
        in_view[e.session].insert(where);
        if (!began) before.insert({holder, e.mailbox, e.uidvalidity, where});
        if (!began || reports.contains({holder, e.mailbox, e.uid})) break;
        first_.try_emplace(c.history.account_of(e), &e);
        if (came_ == nullptr && !before.contains({holder, e.mailbox, e.uidvalidity, where})) came_ = &e;
        break;
      case What::expunged:
        in_view[e.session].erase(e.uid);
        break;
      case What::enumerated:
        listed_[e.index] = in_view[e.session].size();
        break;
      default:
        break;
    }
  }
}

const Event* Strangers::in(std::uint32_t account) const {
  const auto first = first_.find(account);
  return first == first_.end() ? nullptr : first->second;
}

const Event* Strangers::came() const { return came_; }

std::size_t Strangers::listed(const Event& enumerated) const {
  const auto listed = listed_.find(enumerated.index);
  return listed == listed_.end() ? 0 : listed->second;
}

void another_run(Case& c) {
  std::set<std::uint64_t> left;
  bool began = false;
  for (const Event& e : c.history.about(What::step, What::talk, What::message)) {
    began |= e.what == What::step || e.what == What::talk;
    if (e.what != What::message || e.flags != "foreign-run" || e.code != "header") continue;
    if (!began) left.insert(e.hash);
    if (left.contains(e.hash)) continue;
    c.find(
        "another-run",
        {"accounts that no other run of mailproof is using",
         fmt::format("{} found mail in {}'s {} at {} that mailproof made, and not here: another run is using these "
                     "accounts, or the MTA delivers only now what an earlier scenario sent",
                     c.who(e), c.account(c.history.account_of(e)), e.mailbox.empty() ? "INBOX" : e.mailbox, c.when(e)),
         {e.index},
         0,
         ""});
    left.insert(e.hash);
  }
}

std::string came_in(const Case& c, const Event& stranger) {
  return fmt::format("mail that is not ours came in: {} saw it at {}", c.who(stranger), c.when(stranger));
}

}  // namespace mailproof::judge
