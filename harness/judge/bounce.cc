// I35: accepted mail arrives, or its failure is reported: once, to the sender, from nobody, with a status that says
// why.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/bytes.h"
#include "core/units.h"
#include "judge/came_later.h"
#include "judge/judges.h"
#include "judge/requests.h"

namespace mailproof::judge {
namespace {

using history::Attempt;
using history::Report;
using history::Type;
using Recipient = std::pair<std::uint32_t, std::uint32_t>;  ///< message, account

struct Deliveries {
  bool accepted = false, unknown = false, refused = false, smtp = false, lmtp = false;
  std::uint32_t event = 0;
};

std::map<Recipient, Deliveries> deliveries(const Case& c) {
  std::map<Recipient, Deliveries> out;
  for (const Attempt& attempt : c.ledger.attempts()) {
    Deliveries& d = out[{attempt.message, attempt.account}];
    const auto& event = c.history.event(attempt.event);
    const bool lmtp = event.session != 0 && c.history.session(event.session).protocol == Protocol::lmtp;
    d.event = attempt.event;
    d.unknown |= attempt.outcome == Type::info;
    d.refused |= attempt.outcome == Type::fail && attempt.smtp_code / 100 == 5;
    if (attempt.outcome != Type::ok) continue;
    d.accepted = true;
    (lmtp ? d.lmtp : d.smtp) = true;
  }
  return out;
}

/// How many recipients that nobody knows this report names: they are told one behind the other.
std::size_t unnamed_in(const Case& c, const Report& report) {
  const history::Event& first = c.history.event(report.event);
  std::size_t out = 0;
  for (std::uint32_t i = report.event; i <= c.history.events().size(); ++i) {
    const history::Event& e = c.history.event(i);
    if (e.what != history::What::report || e.session != first.session || e.uid != first.uid || e.seq != first.seq)
      break;
    out += e.message == report.message && e.account == 0;
  }
  return out;
}

/// A report in this account's mailbox that nobody could read, as it may be about somebody else's mail; or one about
/// this message that names a recipient nobody knows (RFC 3464 section 2.3.2: it may have been rewritten), which tells
/// of as many recipients as it names so, and of no more; or one about this recipient without the Action that must be
/// there (section 2.3.3): it does not say what became of the message.
using Used = std::map<std::uint32_t, std::size_t>;  ///< reports, by event: of so many recipients
const Report* unread_report(const Case& c, std::uint32_t account, const Recipient& about, Used& used) {
  const auto& [message, recipient] = about;
  for (const Report& report : c.ledger.reports()) {
    const bool unread = report.message == 0 && report.action == "unread";
    const bool unnamed = report.message == message && report.recipient == 0 && istarts_with(report.action, "failed");
    const bool without_action =
        report.message == message && report.recipient == recipient && report.action == "without-action";
    if ((unread || unnamed || without_action) && report.mailbox_owner == account &&
        (!unnamed || used[report.event]++ < unnamed_in(c, report)))
      return &report;
  }
  return nullptr;
}

/// RFC 5321 section 4.5.4.1: what cannot be delivered now is tried again, for days. Only who knows for how long knows
/// that it was dropped; and who its sender is, that no report came: else it is the loss judge's then.
void silent_drop(Case& c, const std::map<Recipient, Deliveries>& all) {
  Used used;
  for (const auto& [recipient, d] : all) {
    const std::uint32_t message = recipient.first, account = recipient.second;
    const std::uint32_t sender = c.history.message(message).sender;
    if (!d.smtp || d.lmtp || (sender == 0 && has_limit(c, account))) continue;
    const auto* cell = c.ledger.find(message, account, "INBOX");
    if (cell == nullptr || cell->first_seen != 0 || !certainly_missing(*cell) || cell->present > 0) continue;
    if (cell->in_pop && cell->present_pop > 0) continue;
    const auto cells = c.ledger.cells_of(message);
    const bool elsewhere = std::any_of(cells.begin(), cells.end(), [&](const history::Cell& other) {
      return other.account == account && other.present > 0;
    });
    if (elsewhere) continue;
    if (const Report* report = sender == 0 ? nullptr : unread_report(c, sender, recipient, used)) {
      c.find("report-unread",
             {fmt::format("{} in {}'s mailbox, or a report to its sender", c.name_of(message), c.account(account)),
              fmt::format(
                  "accepted over SMTP at {} and not in the mailbox; a delivery report came to {} that may be about "
                  "it, and was not read, names another recipient, or does not say what became of it",
                  c.when(c.history.event(d.event)), c.account(report->mailbox_owner)),
              {d.event, report->event},
              message,
              ""});
      continue;
    }
    const auto& gives_up = c.history.info.gives_up_after;
    if (may_still_be_tried(c, account, d.event)) {
      c.find("queued",
             {fmt::format("{} in {}'s mailbox, or a report to its sender", c.name_of(message), c.account(account)),
              fmt::format("accepted over SMTP at {}; neither in the mailbox nor reported: it may still be queued, {}",
                          c.when(c.history.event(d.event)),
                          gives_up ? fmt::format("as the target gives up after {}", format_duration(*gives_up))
                                   : "and the target file does not say for how long (gives_up_after)"),
              {d.event, cell->first_absent},
              message,
              ""});
      continue;
    }
    if (sender == 0) continue;
    c.find("silent-drop",
           {fmt::format("{} in {}'s mailbox, or a report to its sender", c.name_of(message), c.account(account)),
            fmt::format("accepted over SMTP at {}; neither in the mailbox nor reported, also after the "
                        "settling time",
                        c.when(c.history.event(d.event))),
            {d.event, cell->first_absent},
            message,
            ""});
  }
}

/// The same report may be seen over IMAP and over POP3, and moved about: the place that has most of them counts.
std::map<Recipient, std::size_t> counts(const Case& c) {
  std::map<Recipient, std::map<std::string, std::size_t>> places;
  for (const Report& report : c.ledger.reports()) {
    if (report.message == 0 || !istarts_with(report.action, "failed")) continue;
    const std::string place =
        report.uid != 0 ? fmt::format("{}/{}", report.mailbox, report.uidvalidity) : std::string("pop3");
    ++places[{report.message, report.recipient}][place];
  }
  std::map<Recipient, std::size_t> out;
  for (const auto& [recipient, by_place] : places)
    for (const auto& [place, n] : by_place) out[recipient] = std::max(out[recipient], n);
  return out;
}

bool well_formed_failure(std::string_view status) {
  // RFC 3463: status-code = class "." subject "." detail, each of at most three digits.
  if (status.size() < 5 || (status[0] != '4' && status[0] != '5') || status[1] != '.') return false;
  const auto dot = status.find('.', 2);
  if (dot == std::string_view::npos || dot == 2 || dot > 5 || status.size() - dot - 1 < 1 ||
      status.size() - dot - 1 > 3)
    return false;
  return std::all_of(status.begin() + 2, status.end(),
                     [&](const char& ch) { return (ch >= '0' && ch <= '9') || &ch == status.data() + dot; });
}

/// What each account took and showed: the first message, and whether there were others.
struct Taken {
  std::uint32_t first = 0;
  bool others = false;
};
using TakenBy = std::map<std::uint32_t, Taken>;

TakenBy taken(const Case& c) {
  TakenBy out;
  for (const history::Cell& cell : c.ledger.cells()) {
    if (cell.adds == 0 || cell.first_seen == 0) continue;
    Taken& by = out[cell.account];
    if (by.first == 0) by.first = cell.message;
    by.others |= by.first != cell.message;
  }
  return out;
}

/// The mailbox shows that the address exists: a pool with wrong addresses is not the server's fault.
bool took_other_mail(const TakenBy& taken_by, const Report& report) {
  const auto by = report.recipient == 0 ? taken_by.end() : taken_by.find(report.recipient);
  return by != taken_by.end() && (by->second.others || by->second.first != report.message);
}

void one_report(Case& c, const Report& report, const std::map<Recipient, Deliveries>& all, const TakenBy& taken_by) {
  const std::string name = c.name_of(report.message);
  const std::string seen = fmt::format("a report about {} for {} in {}'s mailbox", name, c.account(report.recipient),
                                       c.account(report.mailbox_owner));
  if (!well_formed_failure(report.status))
    c.find("report-status", {"a status of class 4 or 5: 5.2.2",
                             fmt::format("{} has the status \"{}\"", seen, printable(report.status, 40)),
                             {report.event},
                             report.message,
                             ""});
  else if (report.status.size() >= 5 && report.status.substr(1) == ".1.1" && took_other_mail(taken_by, report))
    c.find("report-reason", {"a status that says why: 5.2.2, 4.2.2",
                             fmt::format("{} says {}, as if there were no such address", seen, report.status),
                             {report.event},
                             report.message,
                             ""});
  if (c.history.event(report.event).flags.find("sender-not-null") != std::string::npos)
    c.find("report-sender",
           {"Return-Path: <>", fmt::format("{} has another sender", seen), {report.event}, report.message, ""});

  const auto d = all.find({report.message, report.recipient});
  if (d != all.end() && d->second.refused && !d->second.accepted && !d->second.unknown)
    c.find("report-for-refused", {fmt::format("no report: {} was refused in the session", name),
                                  fmt::format("{}", seen),
                                  {d->second.event, report.event},
                                  report.message,
                                  ""});
  const auto* cell = c.ledger.find(report.message, report.recipient, "INBOX");
  const auto attempts = c.ledger.attempts_of(report.message);
  const auto taken = std::count_if(attempts.begin(), attempts.end(), [&](const Attempt& attempt) {
    return attempt.account == report.recipient && attempt.outcome != Type::fail;
  });
  const bool repeated = taken > 1 || (cell != nullptr && cell->adds + cell->maybe_adds > 1);
  if (cell != nullptr && cell->enumerated && cell->present > 0 && !repeated)
    c.find("reported-and-delivered",
           {fmt::format("{} in the mailbox or reported, not both", name),
            fmt::format("{}, and the message is in {}'s INBOX", seen, c.account(report.recipient)),
            {report.event, cell->last_seen},
            report.message,
            ""});
}

/// To its sender, and to nobody else. Of mail without a sender among us nobody knows who it is.
void sent_elsewhere(Case& c, const Report& report) {
  const std::uint32_t sender = report.message == 0 ? 0 : c.history.message(report.message).sender;
  if (sender == 0 || report.mailbox_owner == 0 || report.mailbox_owner == sender) return;
  c.find("report-elsewhere",
         {fmt::format("the report about {} in {}'s mailbox, who sent it", c.name_of(report.message), c.account(sender)),
          fmt::format("it is in {}'s mailbox", c.account(report.mailbox_owner)),
          {report.event},
          report.message,
          ""});
}

}  // namespace

void judge_bounce(const history::History& history, const history::Ledger& ledger, Findings& out) {
  Case c(history, ledger, "bounce", out);
  const auto all = deliveries(c);
  silent_drop(c, all);
  const TakenBy taken_by = taken(c);
  for (const Report& report : ledger.reports()) sent_elsewhere(c, report);
  std::set<Recipient> told;
  for (const Report& report : ledger.reports())
    if (report.message != 0 && istarts_with(report.action, "failed") &&
        told.emplace(report.message, report.recipient).second)
      one_report(c, report, all, taken_by);

  std::map<Recipient, std::vector<std::uint32_t>> reported;
  for (const Report& report : ledger.reports()) reported[{report.message, report.recipient}].push_back(report.event);
  for (const auto& [recipient, n] : counts(c)) {
    std::size_t attempts = 0;
    for (const Attempt& attempt : ledger.attempts_of(recipient.first))
      attempts += attempt.account == recipient.second && attempt.outcome != Type::fail;
    if (n <= std::max<std::size_t>(attempts, 1) || stopped_between(c, 0, reported[recipient].back())) continue;
    c.find("reported-twice",
           {fmt::format("one report about {} for {}", c.name_of(recipient.first), c.account(recipient.second)),
            fmt::format("{} reports", n), reported[recipient], recipient.first, ""});
  }
}

}  // namespace mailproof::judge
