#include <fmt/format.h>

#include <algorithm>

#include "load/customers.h"
#include "load/visits.h"

namespace mailproof::load {
namespace {

constexpr std::size_t kVisitsAtOnce = 16;
constexpr std::uint32_t kSender = 0xffffffff;  ///< among accounts to look into: the one that reports come back to

}  // namespace

void Customers::check(std::function<void(std::string)> then) {
  checked_ = std::move(then);
  std::vector<std::uint32_t> all;
  for (std::uint32_t i = 0; i < scene_.accounts.size(); ++i) all.push_back(i);
  if (part_.sender) all.push_back(kSender);
  visit_all(Round::check, std::move(all));
}

void Customers::audit(std::function<void()> then) {
  looked_ = std::move(then);
  parcels_of_.resize(scene_.accounts.size());
  for (std::size_t i = 0; i < scene_.parcels.size(); ++i)
    parcels_of_[scene_.parcels.at(i).account].push_back(static_cast<std::uint32_t>(i));
  std::vector<std::uint32_t> accounts;
  if (part_.sender) accounts.push_back(kSender);  // first: what bounced is not missing
  for (std::uint32_t i = 0; i < scene_.accounts.size(); ++i)
    if (audited_[i]) accounts.push_back(i);
  visit_all(Round::first, std::move(accounts));
}

VisitWhat Customers::visit_of(std::uint32_t account) const {
  VisitWhat what;
  if (account == kSender) {
    what.other = &*part_.sender;
    what.reports = round_ != Round::check;
    what.leftovers = round_ == Round::check;
    return what;
  }
  what.account = account;
  what.trash = uses_trash_[account];
  what.sent = sent_box_[account];
  what.others = opens_[account];
  what.leftovers = round_ == Round::check;
  what.remove_sent = round_ != Round::check && scene_.sent[account] == Scene::Trash::ours;
  what.remove_trash = round_ != Round::check && scene_.trash[account] == Scene::Trash::ours;
  return what;
}

void Customers::visit_all(Round round, std::vector<std::uint32_t> accounts) {
  round_ = round;
  to_visit_ = std::move(accounts);
  next_visit_ = 0;
  wrong_.clear();
  for (std::size_t i = 0; i < kVisitsAtOnce; ++i) visit_next();
  if (visiting_ == 0) after_round();
}

void Customers::visit_next() {
  if (next_visit_ >= to_visit_.size() || (round_ == Round::check && !wrong_.empty())) return;
  const std::uint32_t account = to_visit_[next_visit_++];
  std::erase_if(visits_, [](const auto& one) { return one->over(); });
  const bool other_way = round_ == Round::second && asks_another_way(account);
  if (round_ == Round::second) looked_at_ = scene_.network.now();
  visits_.push_back(
      visit(scene_, other_way || scene_.target.imap.empty() ? Protocol::pop3 : Protocol::imap, visit_of(account)));
  MailboxVisit& one = *visits_.back();
  ++visiting_;
  one.may_clean = [this, account](const Found& found) {
    if (round_ == Round::check) return found.foreign == 0 || part_.settings.own_mailboxes;
    if (part_.settings.keep || round_ == Round::second) return false;
    if (round_ == Round::clean || account == kSender) return true;
    // What is complete is taken away with the same login; what is not stays until it was asked for again.
    for (const auto* all : {&found.parcels, &found.elsewhere})
      for (const auto parcel : *all) scene_.parcels.at(parcel).present = 1;
    return complete(account);
  };
  one.on_over = [this, account](const Found& what) {
    found(account, what);
    --visiting_;
    visit_next();
    if (visiting_ == 0) after_round();
  };
}

/// What IMAP did not show is asked for over POP3 where there is POP3, then over IMAP once more: POP3 has no Trash and
/// no Sent. Where POP3 wants time between two logins it may refuse one that comes behind the customer's own.
bool Customers::asks_another_way(std::uint32_t account) const {
  return !scene_.target.imap.empty() && !scene_.target.pop3.empty() && account != kSender &&
         scene_.login_delay == Duration{};
}

void Customers::found(std::uint32_t account, const Found& found) {
  const std::string& login = account == kSender ? part_.sender->login : scene_.accounts[account].login;
  if (round_ == Round::check) {
    const std::uint64_t stay = part_.settings.own_mailboxes ? found.foreign : 0;
    lay_before_ += stay;
    most_before_ = std::max(most_before_, stay);
    if (!found.wrong.empty()) {
      ++closed_to_us_;
      if (wrong_.empty()) wrong_ = found.wrong;
    } else if (found.foreign != 0 && !part_.settings.own_mailboxes) {
      wrong_ = fmt::format(
          "{} holds {} message{} that {} not mailproof's: a load begins on accounts that nobody uses. Take others "
          "into "
          "the pool, or say --i-own-these-mailboxes",
          login, found.foreign, found.foreign == 1 ? "" : "s", found.foreign == 1 ? "is" : "are");
    }
    if (account == kSender) return;
    // What is there before the load is nobody's to make, and not ours to delete, whatever CREATE would be answered.
    for (const auto& name : found.opened) {
      if (name == "Trash") scene_.trash[account] = Scene::Trash::asked;
      if (name == sent_box_[account]) scene_.sent[account] = Scene::Trash::asked;
    }
    return;
  }
  for (const auto& id : found.bounced)
    if (const auto number = scene_.parcels.which(id)) scene_.parcels.at(scene_.parcels.index(number)).bounced = true;
  if (account == kSender) {
    // The last look to take away what is ours comes behind those that count.
    const bool unknown = found.reports_unread || !found.wrong.empty();
    if (round_ != Round::clean || !unknown) reports_unknown_ = unknown;
    return;
  }
  if (!found.wrong.empty()) {
    failed_[account] = found.wrong;
    return;
  }
  looked_into_[account] = true;
  foreign_ += round_ == Round::first ? found.foreign : 0;
  std::map<std::uint32_t, unsigned> copies;
  for (const auto parcel : found.parcels) ++copies[parcel];
  for (const auto& [parcel, count] : copies) {
    Parcel& one = scene_.parcels.at(parcel);
    one.present = std::max(one.present, static_cast<std::uint8_t>(std::min(count, 255U)));
    if (count > 1 && !one.copied && !one.twice && round_ == Round::first && one.outcome == Parcel::Outcome::accepted)
      scene_.wrongs["duplicated"].push_back(fmt::format("{}: lies there {} times", scene_.parcel_text(parcel), count));
    // In the mailbox that another device moved it to, or put a copy into, it may well be.
    if (one.removal_certain && !one.copied && !one.filed && round_ == Round::first)
      scene_.wrongs[one.over_pop3 ? "removed-over-pop3-and-there" : "removed-and-there"].push_back(
          fmt::format("{}: still there after it was removed in {}", scene_.parcel_text(parcel),
                      scene_.session_text(one.removed_by)));
  }
  for (const auto parcel : found.elsewhere)
    scene_.parcels.at(parcel).present = std::max<std::uint8_t>(scene_.parcels.at(parcel).present, 1);
  const bool inbox_only = scene_.target.imap.empty() || (round_ == Round::second && asks_another_way(account));
  const auto closed = [&](const std::string& name) {
    const auto one = found.unopened.find(name);
    if (one == found.unopened.end()) return inbox_only;
    failed_[account] = fmt::format("{} could not be opened: {}", name, one->second);
    return true;
  };
  for (const auto parcel : parcels_of_[account]) {
    Parcel& one = scene_.parcels.at(parcel);
    const bool elsewhere = (one.filed && closed("Trash")) || (one.saved && closed(sent_box_[account]));
    if (one.present != 0 || !elsewhere) ++one.looks;
  }
}

/// Accounts of which not all could be asked that there was to ask.
void Customers::note_unvisited() {
  for (const auto& [account, why] : failed_) {
    const bool open = std::any_of(parcels_of_[account].begin(), parcels_of_[account].end(), [&](const std::uint32_t i) {
      return !accounted_for(scene_.parcels.at(i)) && scene_.parcels.at(i).looks < 2;
    });
    if (open || !looked_into_[account]) ++unvisited_[fmt::format("{}: {}", scene_.accounts[account].login, why)];
  }
}

bool Customers::accounted_for(const Parcel& parcel) const {
  return parcel.outcome != Parcel::Outcome::accepted || parcel.present != 0 || parcel.removal_asked ||
         parcel.removal_certain || parcel.bounced || gone_by_download(parcel);
}

bool Customers::complete(std::uint32_t account) const {
  return std::all_of(parcels_of_[account].begin(), parcels_of_[account].end(),
                     [&](const std::uint32_t i) { return accounted_for(scene_.parcels.at(i)); });
}

/// The target file, or CAPA, says that what was downloaded may go.
bool Customers::gone_by_download(const Parcel& parcel) const {
  return parcel.downloaded && scene_.pop3_download == Pop3Download::removes;
}

/// It is said, or seen of one: where that stays, another one that is missing went by no policy.
bool Customers::keeps_downloads() const {
  if (scene_.pop3_download) return *scene_.pop3_download == Pop3Download::keeps;
  for (std::size_t i = 0; i < scene_.parcels.size(); ++i) {
    const Parcel& parcel = scene_.parcels.at(i);
    if (parcel.downloaded && !parcel.removal_asked && !parcel.removal_certain && parcel.present != 0) return true;
  }
  return false;
}

/// RFC 5321 section 4.5.4.1: until its MTA gives up, mail that was accepted over SMTP and never seen may be queued.
bool Customers::may_be_queued(const Parcel& parcel) const {
  const bool smtp = parcel.by_customer || delivery_protocol(*part_.plan, scene_.target) == Protocol::smtp;
  if (parcel.was_seen || parcel.saved || !smtp) return false;
  const auto& gives_up = scene_.target.gives_up_after;
  if (reports_unknown_ && !parcel.by_customer) return true;
  // A sender whose own mailbox is limited may have had no room for the reports.
  if (part_.sender && (part_.sender->quota || part_.sender->customer_quota)) return true;
  return !gives_up || looked_at_ - parcel.accepted < *gives_up;
}

/// The settling time; and where the target says how long its MTA tries, and that is no longer than people wait, until
/// it has given up what is missing, and its report had the settling time.
Time Customers::absence_counts() const {
  constexpr Duration kLongest = std::chrono::minutes(10);
  const Duration settle = scene_.target.settle;
  Time at = scene_.network.now() + settle;
  const auto& gives_up = scene_.target.gives_up_after;
  if (!gives_up || *gives_up > kLongest) return at;
  for (std::size_t i = 0; i < scene_.parcels.size(); ++i) {
    const Parcel& parcel = scene_.parcels.at(i);
    if (!accounted_for(parcel) && may_be_queued(parcel)) at = std::max(at, parcel.accepted + *gives_up + settle);
  }
  return at;
}

std::vector<std::uint32_t> Customers::incomplete() const {
  std::vector<std::uint32_t> out;
  for (const auto account : to_visit_)
    if (account != kSender && !complete(account)) out.push_back(account);
  return out;
}

void Customers::after_round() {
  if (round_ == Round::none) return;
  switch (std::exchange(round_, Round::none)) {
    case Round::check:
      if (closed_to_us_ > 1)
        wrong_ += fmt::format(" (and so {} of the {} accounts that were looked at; the others of {} were not)",
                              closed_to_us_, next_visit_, to_visit_.size());
      if (const auto then = std::exchange(checked_, {})) then(wrong_);
      return;
    case Round::first:
      second_ = incomplete();
      if (!second_.empty()) {
        looked_at_ = scene_.network.now();
        settle_at_ = absence_counts();
        if (part_.sender) second_.insert(second_.begin(), kSender);
        return arm_next();
      }
      break;
    case Round::second:
      // Once more over IMAP, which also takes away what is there.
      if (part_.settings.keep)
        std::erase_if(to_visit_, [this](const std::uint32_t account) { return !asks_another_way(account); });
      if (!to_visit_.empty()) return visit_all(Round::clean, std::exchange(to_visit_, {}));
      break;
    case Round::clean:
    case Round::none:
      break;
  }
  note_unvisited();
  if (const auto then = std::exchange(looked_, {})) then();
}

/// When it was accepted, who saw it, or who was there and did not.
std::string Customers::life_of_lost(std::size_t i) const {
  const Parcel& parcel = scene_.parcels.at(i);
  std::string out = scene_.parcel_text(i);
  if (parcel.was_seen) return out + "; first seen in " + scene_.session_text(parcel.seen_by);
  std::size_t open = 0;
  for (std::uint32_t s = 1; s < scene_.sessions.size() && open < 3; ++s) {
    const SessionNote& note = scene_.sessions[s];
    const bool customer =
        note.profile != kAuditor && note.protocol != Protocol::lmtp && note.protocol != Protocol::smtp;
    if (!customer || note.account != parcel.account || (note.ended != Time{} && note.ended < parcel.accepted)) continue;
    out += (open++ == 0 ? "; never seen, though there was " : ", ") + scene_.session_text(s);
  }
  return open == 0 ? out + "; no device looked" : out;
}

void Customers::harvest(StoryTotals& totals, std::map<std::string, Tally>& findings,
                        const std::string& reproduce) const {
  scene_.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (one.intended != 0) totals.operations.at(totals.operations.id(name)).merge(one);
  });
  for (const auto& [name, one] : scene_.operations.gauges()) totals.operations.gauge(name).merge(one);
  totals.operations.octets().merge(scene_.operations.octets());
  LedgerTotals& ledger = totals.ledger;
  ledger.copies += came_;
  std::vector<std::string> lost, queued, downloaded, flagged, unquit, doubled;
  const bool kept = keeps_downloads();
  for (std::size_t i = 0; i < scene_.parcels.size(); ++i) {
    const Parcel& parcel = scene_.parcels.at(i);
    if (parcel.outcome == Parcel::Outcome::waiting) {
      ++ledger.unsent;
      continue;
    }
    ++ledger.sent;
    ledger.by_customers += parcel.by_customer && !parcel.saved ? 1U : 0U;
    ledger.saved += parcel.saved ? 1U : 0U;
    if (parcel.outcome == Parcel::Outcome::refused) {
      ++ledger.refused;
      continue;
    }
    if (parcel.outcome != Parcel::Outcome::accepted) {
      ++ledger.unknown;
      continue;
    }
    ++ledger.accepted;
    switch (Parcels::end(parcel)) {
      case End::present:
        ++ledger.fates["present"];
        break;
      case End::removed:
        ++ledger.fates["removed-by-client"];
        break;
      case End::unanswered:
        ++ledger.fates["removal-unconfirmed"];
        break;
      case End::flagged:
        ++ledger.fates["gone-when-marked"];
        flagged.push_back(
            fmt::format("{}: flagged in {}", scene_.parcel_text(i), scene_.session_text(parcel.removed_by)));
        break;
      case End::bounced:
        ++ledger.fates["bounced"];
        break;
      case End::not_looked_for:
        ++ledger.fates["not-looked-for"];
        break;
      default: {
        if (parcel.looks < 2 && !gone_by_download(parcel)) {  // of those one look is enough
          ++ledger.fates["not-looked-for"];
          break;
        }
        if (parcel.downloaded && !kept) {
          ++ledger.fates["removed-by-client"];
          if (!scene_.pop3_download) downloaded.push_back(scene_.parcel_text(i));
          break;
        }
        if (Parcels::end(parcel) == End::unquit) {
          ++ledger.fates["removed-without-quit"];
          unquit.push_back(
              fmt::format("{}: DELE in {}", scene_.parcel_text(i), scene_.session_text(parcel.removed_by)));
          break;
        }
        if (may_be_queued(parcel)) {
          ++ledger.fates["queued"];
          queued.push_back(scene_.parcel_text(i));
          break;
        }
        ++ledger.fates["lost"];
        ++ledger.unexplained;
        lost.push_back(life_of_lost(i));
      }
    }
  }
  const auto tally = [&](std::string what, judge::Severity severity, std::string requirement, std::string expected,
                         std::string actual, std::vector<std::string> lines) {
    Tally& one = findings[fmt::format("{}/ledger/{}", part_.plan->name, what)];
    one.times += lines.size();
    if (one.first.id.empty()) {
      one.first.id = fmt::format("{}/ledger/{}", part_.plan->name, what);
      one.first.severity = severity;
      one.first.requirement = std::move(requirement);
      one.first.expected = std::move(expected);
      one.first.actual = std::move(actual);
      one.first.reproduce = reproduce;
    }
    for (auto& line : lines)
      if (one.messages.size() < kMostNamed) one.messages.push_back(std::move(line));
  };
  using judge::Severity;
  if (!lost.empty())
    tally("lost", Severity::fail,
          "RFC 5321 section 6.1: a server that accepted a message must not lose it for frivolous reasons",
          "every accepted message is there, was removed by a client, or was reported as not delivered",
          "it is in no mailbox of its account, in two fresh sessions, and no client asked for its removal",
          std::move(lost));
  if (!queued.empty())
    tally("queued", Severity::inconclusive,
          "RFC 5321 section 4.5.4.1: what was accepted is delivered, or reported as not delivered, in the end",
          "it is in a mailbox of its account, or a report came to its sender",
          reports_unknown_ ? fmt::format("neither; what the reports in the mailbox of {} are about could not be seen",
                                         part_.sender->login)
          : part_.sender && (part_.sender->quota || part_.sender->customer_quota)
              ? fmt::format("neither; the mailbox of {}, where reports come back to, is limited", part_.sender->login)
          : scene_.target.gives_up_after
              ? fmt::format("neither, but the target may try for {} (gives_up_after): it may still be queued",
                            format_duration(*scene_.target.gives_up_after))
              : std::string(
                    "neither; it may still be queued, as the target file does not say for how long (gives_up_after)"),
          std::move(queued));
  if (!flagged.empty())
    tally("gone-when-marked", Severity::latitude,
          "RFC 9051 section 6.4.3: EXPUNGE removes what has \\Deleted; the flag alone removes nothing",
          "it is still there: a client set \\Deleted, and none of the account's clients expunged",
          "it is in no mailbox of its account, in two fresh sessions; a server may have a policy of its own for such "
          "mail",
          std::move(flagged));
  if (!unquit.empty())
    tally("removed-without-quit", Severity::fail,
          "RFC 1939 section 6: a session that ends without QUIT must not remove any messages from the maildrop",
          "it is still there: the session that marked it ended before it said QUIT",
          "it is in no mailbox of its account, in two fresh sessions", std::move(unquit));
  for (const auto& [parcel, line] : scene_.doubles)
    if (scene_.parcels.at(parcel).outcome == Parcel::Outcome::accepted) doubled.push_back(line);
  if (!downloaded.empty())
    tally("gone-after-download", Severity::latitude,
          "RFC 1939 section 8: a site may have a message removed once it was downloaded",
          "it is still there, where nobody marked it, or pop3_download: removes in the target file",
          "all that POP3 downloaded, and did not mark, is gone", std::move(downloaded));
  for (const auto& [what, lines] : scene_.wrongs) {
    if (what == "altered")
      tally(what, Severity::fail, "What was sent is what comes", "the content as it was sent", "other content", lines);
    else if (what == "leaked")
      tally(what, Severity::fail, "Mail is shown to nobody but whom it was sent to", "only an account's own mail",
            "another account's message", lines);
    else if (what == "reappeared")
      tally(what, Severity::fail, "RFC 1939 section 6: QUIT removes all messages that are marked as deleted",
            "a POP3 session after it does not list them", "one does", lines);
    else if (what == "duplicated")
      doubled.insert(doubled.end(), lines.begin(), lines.end());
    else if (what == "removed-and-there")
      tally(
          what, Severity::fail,
          "RFC 9051 sections 6.4.2, 6.4.3 and 6.4.9: CLOSE, EXPUNGE and UID EXPUNGE permanently remove what is marked",
          "it is gone for every session", "a fresh session lists it", lines);
    else if (!scene_.target.pop3_delete || *scene_.target.pop3_delete == Pop3Delete::removes)
      tally(what, Severity::latitude, "RFC 1939 section 6: what is marked as deleted is removed after QUIT",
            "it is gone", "IMAP still shows it; say pop3_delete: in the target file if that is meant", lines);
  }
  if (!doubled.empty())
    tally("duplicated", Severity::fail, "What was delivered once is there once", "one copy", "several",
          std::move(doubled));
  for (const auto& [why, times] : unvisited_)
    tally("not-looked-at", Severity::inconclusive, "All that was sent must be looked for", "an account that lets us in",
          why, std::vector<std::string>(times, why));
}

}  // namespace mailproof::load
