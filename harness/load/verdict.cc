// What a load comes to, and what stands before its figures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "load/report.h"
#include "load/server_limits.h"
#include "load/slo.h"

namespace mailproof::load {
namespace {

/// A few slots more would serve the load: that is whoever chose them. Only a server that would hold many times as many
/// is slow.
constexpr double kManySlots = 4;

/// Copies that arrived: not those of users, who wait for no slot.
std::uint64_t begun_at_a_rate(const LoadResult& result) {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < result.by_story.size(); ++i) {
    const auto plays = [&](const UsersOf& of) { return i < result.stories.size() && of.story == result.stories[i]; };
    if (std::any_of(result.users.begin(), result.users.end(), plays)) continue;
    result.by_story[i].operations.for_each([&](std::string_view name, const stats::Operation& one) {
      if (name.starts_with("story")) out += one.started;
    });
  }
  return out;
}

}  // namespace

Unserved unserved(const LoadResult& result) {
  Unserved out;
  out.copies = result.interrupted ? 0 : result.all.unserved;
  if (out.copies == 0) return out;
  const double played = std::max(1.0, static_cast<double>(begun_at_a_rate(result)));
  const double held = ms(result.held) / played, answering = ms(result.answering) / played;
  const double leave = 1000 * result.slots / std::max(result.rate, 1e-9);
  const std::string facts = fmt::format(
      "a copy held its slot for {:.0f} ms, of which the server took {:.0f} ms; at {:.1f}/s {} slots leave it {:.0f} ms",
      held, answering, result.rate, result.slots, leave);
  if (result.generator.limited()) {
    out.why = "the generator was the limit: " + facts;
  } else if (result.all.ledger.copies != 0 && answering > kManySlots * leave) {
    out.by_server = true;
    out.why = "the server was too slow for this load: " + facts;
  } else if (held <= leave) {
    out.why = fmt::format("for a while every slot was in use, though there are enough of them by and large: {}", facts);
  } else {
    out.why = fmt::format(
        "the slots were the limit: {}; such a load needs {} {:.0f}", facts,
        result.plan.name.empty() ? "--copies" : "in its also: copies:", std::ceil(held * result.rate / 1000));
  }
  return out;
}

std::vector<std::string> unreached(const LoadResult& result) {
  std::vector<std::string> out;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (!name.ends_with(".connect") || one.ok != 0 || one.fail + one.info == 0) return;
    out.push_back(fmt::format("NOTHING GOT THROUGH: of {} attempts of {} none came to a session ({})",
                              one.fail + one.info, name, one.errors.empty() ? "?" : one.errors.begin()->first));
  });
  return out;
}

Undelivered undelivered(const LoadResult& result) {
  Undelivered out;
  if (result.plan.name.empty() || result.interrupted || !result.plan.aborted.empty()) return out;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (!name.ends_with(".deliver")) return;
    out.messages += one.unserved();
    out.due += one.intended;
  });
  // What is due in the last moment may find every connection in use.
  constexpr std::uint64_t kMany = 100;
  if (out.messages * kMany <= out.due) out.messages = 0;
  return out;
}

namespace {

/// By operation ("imap.connection"), in a sentence each.
std::map<std::string, std::string> sessions_broken_off(const LoadResult& result) {
  constexpr std::uint64_t kFew = 20;  // of a hundred sessions five: now and then one breaks
  std::map<std::string, std::string> out;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    if (!name.ends_with(".connection")) return;
    const std::string_view protocol = name.substr(0, name.find('.'));
    const auto* sessions = result.all.operations.find(fmt::format("{}.connect", protocol));
    const std::uint64_t broken = one.fail + one.info, all = sessions == nullptr ? 0 : sessions->ok;
    if (broken == 0 || broken * kFew < all) return;
    const auto most = std::max_element(one.errors.begin(), one.errors.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    out[std::string(name)] = fmt::format("BROKEN OFF: {} of {} {} sessions did not end by our doing (mostly {})",
                                         broken, all, protocol, most == one.errors.end() ? "?" : most->first);
  });
  return out;
}

/// Whether some line of the SLO that something is known of is about this operation.
bool decided(const LoadResult& result, std::string_view operation,
             bool (*about)(const scenario::Slo&, std::string_view)) {
  return std::any_of(result.slos.begin(), result.slos.end(), [&](const SloResult& one) {
    const auto slo = one.few || one.measured.empty() ? std::nullopt : scenario::slo_of(one.text);
    return slo && about(*slo, operation);
  });
}

}  // namespace

bool mail_is_undecided(const LoadResult& result) {
  bool out = false;
  result.all.operations.for_each([&](std::string_view name, const stats::Operation& one) {
    out = out || (name.ends_with(".deliver") && one.unserved() != 0 && !decided(result, name, counts_unserved_of));
  });
  return out && undelivered(result).messages != 0;
}

std::vector<std::string> broken_off(const LoadResult& result) {
  std::vector<std::string> out;
  for (auto& [operation, text] : sessions_broken_off(result)) out.push_back(std::move(text));
  return out;
}

bool nothing_played(const LoadResult& result) {
  bool nothing = result.all.ledger.copies == 0 && result.all.ledger.sent == 0;
  result.all.operations.for_each(
      [&](std::string_view, const stats::Operation& one) { nothing = nothing && one.ok + one.fail + one.info == 0; });
  return nothing && !result.note.empty();
}

judge::Verdict verdict_of(const LoadResult& result, bool unknown_too) {
  using judge::Verdict;
  std::vector<Verdict> all = {result.worst};
  if (!result.interrupted && !unreached(result).empty()) all.push_back(Verdict::error);
  if (result.generator.limited() || result.interrupted || result.all.ledger.copies == 0 ||
      result.all.ledger.unknown != 0 || !result.doubts.empty())
    all.push_back(Verdict::inconclusive);
  for (const SloResult& one : result.slos)
    if (unknown_too || !(one.few || one.measured.empty())) all.push_back(one.verdict);
  if (const Unserved late = unserved(result); late.copies != 0)
    all.push_back(late.by_server ? Verdict::fail : Verdict::inconclusive);
  // Less mail came than was meant to, and no line of the plan says that this may not be, or may.
  if (mail_is_undecided(result)) all.push_back(Verdict::inconclusive);
  // What was cut off is in no time: such times are those of the rest.
  for (const auto& [operation, text] : sessions_broken_off(result))
    if (!result.interrupted && !decided(result, operation, counts_errors_of)) all.push_back(Verdict::inconclusive);
  if (result.all.ledger.unexplained != 0 && result.worst == Verdict::pass) all.push_back(Verdict::inconclusive);
  // Errors and times that our own slowness made end a run as well, and say nothing of the server.
  if (!result.plan.aborted.empty()) all.push_back(result.generator.limited() ? Verdict::inconclusive : Verdict::fail);
  return judge::worst(all);
}

std::vector<std::string> warnings(const LoadResult& result) {
  std::vector<std::string> out = result.doubts;
  if (result.generator.limited())
    out.push_back(fmt::format("GENERATOR-LIMITED: these figures say more about this machine than about the server: {}.",
                              result.generator.why_limited()));
  // A run that was killed says so by itself.
  if (result.interrupted && !result.ended.empty() && !nothing_played(result))
    out.emplace_back(
        "INTERRUPTED: it was ended before its time. Nobody looked for the mail in the end, and what was sent may still "
        "lie in the mailboxes.");
  if (const Unserved late = unserved(result); late.copies != 0)
    out.push_back(fmt::format("UNSERVED: {} of {} copies never began: {}.", late.copies,
                              late.copies + begun_at_a_rate(result), late.why));
  for (std::string& one : limits_told(result)) out.push_back(std::move(one));
  for (std::string& one : unreached(result)) out.push_back(std::move(one));
  for (std::string& one : broken_off(result)) out.push_back(std::move(one));
  if (const Undelivered mail = undelivered(result); mail.messages != 0)
    out.push_back(fmt::format("UNSERVED: {} of {} messages that were due were never handed over to the server.",
                              mail.messages, mail.due));
  if (!result.plan.aborted.empty()) out.push_back(fmt::format("ABORTED: {}.", result.plan.aborted));
  if (!result.note.empty()) out.push_back(result.note);
  return out;
}

}  // namespace mailproof::load
