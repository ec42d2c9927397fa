// The life of one message, told from the events that concern it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/bytes.h"
#include "core/words.h"
#include "history/flags.h"
#include "history/ledger/impl.h"

namespace mailproof::history {

struct Ledger::Impl::LifeWriter {
  const Ledger& ledger;
  const Impl& impl;
  const History& history;
  std::uint32_t message;
  Life out;

  struct Session {
    std::string mailbox;
    std::uint32_t uidvalidity = 0;
    bool seen = false, dele = false, quit = false;
    std::optional<std::string> flags;  ///< as this session was last told
  };
  std::map<std::uint32_t, Session> sessions;
  std::set<std::uint32_t> visible, downloaded;         ///< devices that have been told of
  std::set<std::uint32_t> asked;                       ///< copies somebody marked
  std::map<std::string, std::uint32_t> downloaded_by;  ///< POP3 device -> when
  std::map<std::uint32_t, std::string> explained;      ///< account -> who asked
  bool vanished = false;                               ///< a device that had a copy is gone

  void line(const Event& e, std::string_view word, std::string text, Sure sure = Sure::certain) {
    out.lines.push_back({e.index, word, std::move(text), sure, false});
  }
  void detail(const Event& e, std::string_view word, std::string text, Sure sure = Sure::certain) {
    out.lines.push_back({e.index, word, std::move(text), sure, true});
  }
  static Sure sure_of(const Event& answer) { return answer.type == Type::info ? Sure::unknown : Sure::certain; }
  const Event& invoke(const Event& e) const { return impl.invoke_of(e); }
  std::string protocol(const Event& e) const {
    return e.session == 0 ? std::string("?") : upper(mailproof::name(history.session(e.session).protocol));
  }
  std::string account(std::uint32_t number) const { return number == 0 ? "?" : history.account(number).name; }

  std::uint32_t copy_at(const Event& e, std::uint32_t uid) {
    const Session& s = sessions[e.session];
    const std::string& mailbox = e.mailbox.empty() || e.uidvalidity == 0 ? s.mailbox : e.mailbox;
    const std::uint32_t uidvalidity = e.mailbox.empty() || e.uidvalidity == 0 ? s.uidvalidity : e.uidvalidity;
    const std::uint32_t in = impl.find_box(history.session(e.session).account, mailbox, uidvalidity);
    return in == 0 ? 0 : impl.copy_of.get(std::uint64_t{in} << 32U | uid);
  }
  bool is_ours(std::uint32_t copy) const { return copy != 0 && impl.copies[copy - 1].message == message; }
  std::uint32_t device(const Event& e) const { return e.session == 0 ? 0 : history.session(e.session).device; }
  bool audit(const Event& e) const { return device(e) == 0; }  ///< or a fresh session that was asked again

  void explain(const Event& e, const std::string& how) {
    explained[history.account_of(e)] =
        fmt::format("{} asked for its removal over {} at {} ({})", history.device_name(e), protocol(e),
                    format_seconds(e.at.time_since_epoch()), how);
  }

  void tell(const Event& e);
  void delivery(const Event& e);
  void content(const Event& e);
  void store(const Event& e);
  void expunge(const Event& e);
  void copy_or_move(const Event& e);
  void gone(const Event& e, std::uint32_t uid);
  void quit(const Event& e);
  void enumerated(const Event& e);
  void expected(const Event& e);
  void conclude();
};

void Ledger::Impl::LifeWriter::delivery(const Event& e) {
  if ((e.message != 0 ? e.message : invoke(e).message) != message) return;
  const std::uint32_t code = e.get<ReplyFacts>().code;
  const std::string reply =
      fmt::format("{} {}{}{}", e.session == 0 ? "command" : protocol(e), code, e.code.empty() ? "" : " ", e.code);
  const std::string said = e.text.empty() ? "" : ": " + printable(e.text, 120);
  if (e.type == Type::ok) line(e, "accepted", fmt::format("{} for {}", reply, account(e.account)));
  if (e.type == Type::fail)
    line(e, code / 100 == 4 ? "deferred" : "refused", fmt::format("{} for {}{}", reply, account(e.account), said));
  if (e.type == Type::info)
    line(e, "unknown", fmt::format("{}: no answer for {}{}", protocol(e), account(e.account), said), Sure::unknown);
}

void Ledger::Impl::LifeWriter::content(const Event& e) {
  if (e.message != message) return;
  Session& s = sessions[e.session];
  s.seen = true;
  if (audit(e)) return;
  const MessageInfo& sent = history.message(message);
  const bool full = e.code == "full";
  const bool pop = history.session(e.session).protocol == Protocol::pop3;
  const std::string where =
      pop ? fmt::format("number {}{}{}", e.seq, e.text.empty() ? "" : ", UIDL ", printable(e.text, 70))
          : fmt::format("{} UID {}", e.mailbox.empty() ? s.mailbox : e.mailbox, e.uid);
  const bool same = e.hash == 0 || sent.hash == 0 || e.hash == sent.hash;
  const std::string_view content = history.info.recorded ? "" : same ? ", content as sent" : ", content NOT as sent";
  const std::string whole = fmt::format("{}, {} octets{}", where, e.size, content);
  if (full && downloaded.insert(device(e)).second) {
    line(e, "downloaded", whole);
    visible.insert(device(e));
    if (pop) downloaded_by.try_emplace(std::string(history.device_name(e)), e.index);
  } else if (full) {
    detail(e, "read again", whole);
  } else if (visible.insert(device(e)).second) {
    line(e, "visible", where);
  }
}

void Ledger::Impl::LifeWriter::store(const Event& e) {
  const Event& request = invoke(e);
  if (e.type == Type::invoke) return;
  for (const std::uint32_t uid : parse_uids(request.set)) {
    const std::uint32_t copy = copy_at(e, uid);
    if (!is_ours(copy)) continue;
    const bool deleted = has_deleted(request.flags);
    const std::string text =
        fmt::format("STORE {} ({}) on {} UID {}{}", request.code, request.flags, sessions[e.session].mailbox, uid,
                    e.type == Type::ok     ? ""
                    : e.type == Type::fail ? ": NO"
                                           : ": no answer");
    const bool takes = !request.code.starts_with('-');
    line(e, !deleted ? "flagged" : takes ? "asked" : "took back", text, sure_of(e));
    if (deleted && takes) asked.insert(copy);
    if (deleted && !takes && e.type == Type::ok) asked.erase(copy);
  }
}

void Ledger::Impl::LifeWriter::expunge(const Event& e) {
  if (e.type != Type::ok && e.type != Type::info) return;
  const std::vector<std::uint32_t> only = parse_uids(invoke(e).set);
  for (const std::uint32_t copy : asked) {
    const Copy& marked = impl.copies[copy - 1];
    if (copy_at(e, marked.uid) != copy) continue;
    if (!only.empty() && std::find(only.begin(), only.end(), marked.uid) == only.end()) continue;
    const std::string command = e.what == What::close ? "CLOSE" : only.empty() ? "EXPUNGE" : "UID EXPUNGE";
    line(e, e.type == Type::ok ? "confirmed" : "unknown",
         fmt::format("{} of {} UID {}{}", command, sessions[e.session].mailbox, marked.uid,
                     e.type == Type::ok ? "" : ": no answer"),
         sure_of(e));
    explain(e, command);
  }
}

void Ledger::Impl::LifeWriter::copy_or_move(const Event& e) {
  if (e.type != Type::ok && e.type != Type::info) return;
  const Event& request = invoke(e);
  const auto made = parse_uids(e.get<CopyFacts>().destinations);
  const auto uids = parse_uids(made.empty() ? request.set : e.set);
  for (std::size_t i = 0; i < uids.size(); ++i) {
    if (!is_ours(copy_at(e, uids[i]))) continue;
    line(e,
         e.type == Type::info   ? "unknown"
         : e.what == What::move ? "moved"
                                : "copied",
         fmt::format("{} UID {} to {}{}{}", sessions[e.session].mailbox, uids[i], request.other_mailbox,
                     i < made.size() ? fmt::format(" UID {}", made[i]) : std::string(),
                     e.type == Type::info ? ": no answer" : ""),
         sure_of(e));
    if (e.what == What::move) explain(e, "MOVE to " + request.other_mailbox);
  }
}

void Ledger::Impl::LifeWriter::gone(const Event& e, std::uint32_t uid) {
  if (is_ours(copy_at(e, uid)) && !audit(e))
    line(e, "told gone",
         e.what == What::expunged ? fmt::format("EXPUNGE {} (UID {})", e.seq, uid)
                                  : fmt::format("VANISHED (UID {})", uid));
}

void Ledger::Impl::LifeWriter::quit(const Event& e) {
  Session& s = sessions[e.session];
  if (e.type == Type::invoke || !s.dele) return;
  s.quit = true;
  line(e, e.type == Type::ok ? "confirmed" : "unknown",
       e.type == Type::ok     ? "QUIT +OK"
       : e.type == Type::fail ? "QUIT -ERR: some may be gone"
                              : "QUIT: no answer",
       e.type == Type::ok ? Sure::certain : Sure::unknown);
  explain(e, "DELE, then QUIT");
}

void Ledger::Impl::LifeWriter::enumerated(const Event& e) {
  if (!audit(e)) return;
  Session& s = sessions[e.session];
  const bool pop = history.session(e.session).protocol == Protocol::pop3;
  const std::string mailbox = pop ? "INBOX" : s.mailbox;
  const std::uint32_t owner = history.session(e.session).account;
  const Cell* cell = ledger.find(message, owner, mailbox);
  if (cell != nullptr && (s.seen || cell->adds + cell->maybe_adds > 0))
    line(e, s.seen ? "present" : "absent",
         fmt::format("{}'s {} by a complete listing over {}", account(owner), mailbox, protocol(e)),
         s.seen ? Sure::certain : Sure::inferred);
  if (!pop) s.seen = false;
}

void Ledger::Impl::LifeWriter::tell(const Event& e) {
  switch (e.what) {
    case What::deliver:
      delivery(e);
      break;
    case What::append:
      if (invoke(e).message == message && e.type != Type::invoke)
        line(e,
             e.type == Type::ok     ? "saved"
             : e.type == Type::fail ? "refused"
                                    : "unknown",
             fmt::format("APPEND to {}{}", invoke(e).mailbox,
                         e.type == Type::ok     ? ": OK"
                         : e.type == Type::fail ? ": " + printable(e.text, 120)
                                                : ""),
             sure_of(e));
      break;
    case What::select:
    case What::examine:
      if (e.type == Type::ok) {
        sessions[e.session].mailbox = invoke(e).mailbox;
        sessions[e.session].uidvalidity = e.uidvalidity;
        sessions[e.session].seen = false;
        sessions[e.session].flags.reset();
      }
      break;
    case What::row:
      if (is_ours(copy_at(e, e.uid))) {
        Session& s = sessions[e.session];
        const std::string where = fmt::format("{} UID {}", s.mailbox, e.uid);
        if (!audit(e) && visible.insert(device(e)).second) line(e, "visible", where);
        if (!audit(e) && e.has_flags && s.flags != e.flags && (s.flags || !e.flags.empty()))
          detail(e, "told flags", fmt::format("{} ({})", where, e.flags));
        if (e.has_flags) s.flags = e.flags;
        s.seen = true;
      }
      break;
    case What::message:
      content(e);
      break;
    case What::store:
      store(e);
      break;
    case What::expunge:
    case What::close:
      expunge(e);
      break;
    case What::copy:
    case What::move:
      copy_or_move(e);
      break;
    case What::expunged:
      gone(e, e.uid);
      break;
    case What::vanished:
      impl.for_each_known(e, [&](std::uint32_t uid) { gone(e, uid); });
      break;
    case What::dele:
      if (e.type == Type::ok || e.type == Type::info) {
        const std::uint32_t number = invoke(e).seq;
        if (impl.sessions[e.session - 1].asked_for(number) != message) break;
        sessions[e.session].dele = true;
        line(e, "asked", fmt::format("DELE {}{}", number, e.type == Type::ok ? "" : ": no answer"), sure_of(e));
      }
      break;
    case What::rset:
      if (e.type == Type::ok && sessions[e.session].dele) {
        sessions[e.session].dele = false;
        line(e, "took back", "RSET");
      }
      break;
    case What::quit:
      quit(e);
      break;
    case What::end:
      if (e.type == Type::obs && e.session != 0 && sessions[e.session].dele && !sessions[e.session].quit)
        line(e, "not asked", "the connection ended without QUIT: its DELE counts for nothing", Sure::inferred);
      break;
    case What::enumerated:
      enumerated(e);
      break;
    case What::vanish:
      if (downloaded_by.erase(e.text) != 0) {
        line(e, "vanished", fmt::format("{} is gone, with its copy", e.text));
        vanished = true;
      }
      break;
    case What::report:
      if (e.message == message)
        line(e, "reported",
             fmt::format("{} {} for {}, in {}'s mailbox", printable(e.text, 80), e.code, account(e.account),
                         account(e.session == 0 ? 0 : history.session(e.session).account)));
      break;
    case What::remove:
      if (e.type == Type::ok && ledger.find(message, history.account_of(e), invoke(e).mailbox) != nullptr)
        line(e, "confirmed", fmt::format("the mailbox {} was removed", invoke(e).mailbox));
      break;
    case What::final_dot:
      if (invoke(e).message == message) detail(e, "sent", fmt::format("{}: all of it, to the final dot", protocol(e)));
      break;
    case What::nil:
      if (is_ours(copy_at(e, e.uid))) detail(e, "nil", fmt::format("UID {}: NIL instead of its content", e.uid));
      break;
    case What::observed:
      if (e.message == message) line(e, "logged", printable(e.text, 200));
      break;
    case What::see:
    case What::lose:
    case What::found:
    case What::downloaded:
    case What::agree:
      expected(e);
      break;
    default:
      break;
  }
}

/// What the scenario wants to be seen of it, and whether it was.
void Ledger::Impl::LifeWriter::expected(const Event& e) {
  if (e.type == Type::expect) return;
  const Event& step = invoke(e);
  const auto names = [&](const std::string& set) {
    const auto all = parse_numbers(set);
    return std::find(all.begin(), all.end(), message) != all.end();
  };
  const std::string said = e.text.empty() ? "" : ": " + printable(e.text, 160);
  if (e.type == Type::ok && names(step.set)) detail(e, "as wanted", step.text);
  if (e.type == Type::fail && names(e.set)) detail(e, "missed", step.text + said, Sure::inferred);
  if (e.type == Type::info && names(step.set)) detail(e, "unknown", step.text + said, Sure::unknown);
}

void Ledger::Impl::LifeWriter::conclude() {
  for (const auto& [device, at] : downloaded_by) out.local.push_back({device, at});
  std::set<std::uint32_t> accounts;
  const auto its_cells = ledger.cells_of(message);
  for (const Cell& cell : its_cells) accounts.insert(cell.account);
  for (const Attempt& attempt : ledger.attempts_of(message)) accounts.insert(attempt.account);
  for (const std::uint32_t number : accounts) {
    LifeEnd& end = out.ends.emplace_back();
    end.account = number;
    end.fate = ledger.fate(message, number);
    const auto why = explained.find(number);
    const bool asked_for =
        end.fate == Fate::removed_by_client || end.fate == Fate::expired_by_client_policy || end.fate == Fate::moved;
    if (asked_for && why != explained.end()) end.asked = why->second;
    for (const Cell& cell : its_cells)
      if (cell.account == number)
        end.places.push_back({impl.mailbox_names[cell.mailbox], cell.present, cell.enumerated, cell.first_seen,
                              cell.last_seen, cell.first_absent});
  }
  const bool somewhere = std::any_of(its_cells.begin(), its_cells.end(),
                                     [](const Cell& cell) { return !cell.enumerated || cell.present > 0; });
  out.nothing_left = vanished && out.local.empty() && !somewhere;
}

std::string_view name(Sure sure) {
  static constexpr Word<Sure> kSures[] = {
      {"certain", Sure::certain}, {"inferred", Sure::inferred}, {"unknown", Sure::unknown}};
  static_assert(complete(kSures));
  return word_for(kSures, sure);
}

Life Ledger::whole_life(std::uint32_t message) const {
  if (message == 0 || message > impl_->history.messages().size()) return {};
  Impl::LifeWriter writer{*this, *impl_, impl_->history, message, {}, {}, {}, {}, {}, {}, {}, false};
  for (const Event& e : impl_->history.events()) writer.tell(e);
  writer.conclude();
  return std::move(writer.out);
}

namespace {

/// What became of it, before how.
std::vector<std::string> heads(const History& history, std::uint32_t message, const Life& life) {
  const auto when = [&](std::uint32_t event) { return format_seconds(history.event(event).at.time_since_epoch()); };
  std::vector<std::string> out;
  for (const LifeEnd& end : life.ends) {
    std::string head = fmt::format("{} for {}: {}", history.message(message).name(),
                                   end.account == 0 ? "?" : history.account(end.account).name, name(end.fate));
    if (!end.asked.empty()) head += "; " + end.asked;
    std::string left;
    for (const LifeEnd::Place& place : end.places)
      if (place.listed && place.copies > 0)
        left += fmt::format("{}{}{}", left.empty() ? "" : ", ", place.mailbox,
                            place.copies > 1 ? fmt::format(" ({} copies)", place.copies) : std::string());
    if (!left.empty()) head += "; in " + left;
    out.push_back(std::move(head));
  }
  std::string local;
  for (const LocalCopy& copy : life.local)
    local += fmt::format("{}{} (downloaded at {})", local.empty() ? "" : ", ", copy.device, when(copy.event));
  if (!local.empty()) out.push_back("local copy on " + local);
  if (life.nothing_left) out.emplace_back("no copy is left anywhere");
  return out;
}

}  // namespace

std::vector<std::string> Ledger::life(std::uint32_t message) const {
  const Life life = whole_life(message);
  const History& history = impl_->history;
  std::vector<std::string> out = heads(history, message, life);
  for (const LifeLine& line : life.lines) {
    if (line.detail) continue;
    const Event& e = history.event(line.event);
    out.push_back(fmt::format("{:>11}  {:<10} {:<9} {}", format_seconds(e.at.time_since_epoch()), line.word,
                              history.device_name(e), line.text));
  }
  return out;
}

}  // namespace mailproof::history
