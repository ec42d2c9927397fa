#include "judge/judge.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <exception>
#include <functional>
#include <set>

#include "core/words.h"
#include "history/settled.h"
#include "judge/after_download.h"
#include "judge/at_end.h"
#include "judge/case.h"
#include "judge/heard.h"
#include "judge/heard_people.h"
#include "judge/judges.h"

namespace mailproof::judge {
namespace {

constexpr auto kJudges = std::to_array<Judge>({
    {"conformance", "what an RFC says of single replies", judge_conformance},
    {"session", "a session comes up, stays up and speaks the protocol", judge_session, true},
    {"isolation", "I37: nobody sees another's mail", judge_isolation},
    {"loss", "I1, I19: what was accepted stays until somebody asks for its removal", judge_loss},
    {"removal", "I15, I29: exactly what a client asked to remove goes", judge_removal, true},
    {"bounce", "I35: accepted mail arrives or its failure is reported, once", judge_bounce},
    {"content", "I2: a message stays as it was sent", judge_content, true},
    {"duplicates", "I3, I4, I6: one acceptance makes one copy, a refusal none, and what is gone stays gone",
     judge_duplicates, true},
    {"agreement", "I33: POP3 and IMAP tell of the same messages", judge_agreement},
    {"flags", "I17, I18: every flag that is seen was set by somebody, and is copied", judge_flags},
    {"uidplus", "I21: APPENDUID and COPYUID name the messages that were made", judge_uidplus, true},
    {"mailboxes", "a mailbox that was made is listed and can be opened", judge_mailboxes},
    {"identity", "I5 to I10: a UID means one message for ever, and UIDNEXT and UIDVALIDITY tell of it", judge_identity,
     true},
    {"modseq", "I22: MODSEQ rises with every change, and never falls", judge_modseq, true},
    {"view", "I11 to I14: what a session believes about a mailbox stays consistent", judge_view, true},
    {"idle", "I27: IDLE tells what happens while it runs", judge_idle},
    {"maildrop", "I28: a login finds every message of the maildrop", judge_maildrop},
    {"pop3-session", "I28, I31: numbers, sizes and contents of a maildrop", judge_pop3_session, true},
    {"uidl", "I30: unique-ids are unique and stay", judge_uidl, true},
    {"maildrop-lock", "I32: one POP3 session at a time, or consistent snapshots", judge_maildrop_lock},
    {"lmtp-replies", "I34: one reply a recipient, and refused means not delivered", judge_lmtp_replies, true},
    {"recipients", "I34: what a recipient is told is about that recipient", judge_recipients},
    {"quota", "I36: usage is the sum of the messages, and decides", judge_quota},
    {"tls", "what comes in clear text is not obeyed under TLS", judge_tls},
    {"expectation", "what the scenario says must be seen", judge_expectation},
});

constexpr Word<Severity> kSeverities[] = {{"fail", Severity::fail},
                                          {"latitude", Severity::latitude},
                                          {"inconclusive", Severity::inconclusive},
                                          {"error", Severity::error}};
static_assert(complete(kSeverities));

constexpr Word<Verdict> kVerdicts[] = {{"pass", Verdict::pass},
                                       {"latitude", Verdict::latitude},
                                       {"inconclusive", Verdict::inconclusive},
                                       {"unexpected-pass", Verdict::unexpected_pass},
                                       {"fail", Verdict::fail},
                                       {"error", Verdict::error},
                                       {"not-applicable", Verdict::not_applicable},
                                       {"known-fail", Verdict::known_fail}};
static_assert(complete(kVerdicts));

/// How bad, for the worst of several; neutral ones do not count.
int rank(Verdict verdict) {
  switch (verdict) {
    case Verdict::error:
      return 6;
    case Verdict::fail:
      return 5;
    case Verdict::unexpected_pass:
      return 4;
    case Verdict::inconclusive:
      return 3;
    case Verdict::latitude:
      return 2;
    case Verdict::pass:
      return 1;
    case Verdict::not_applicable:
    case Verdict::known_fail:
      return 0;
  }
  return 3;
}

bool of_judge(const Finding& finding, std::string_view judge) {
  return finding.id.find(fmt::format("/{}/", judge)) != std::string::npos;
}

/// A missed expectation whose messages another judge already accuses the server of says nothing new: the accusation
/// names it instead.
void merge_explained(std::vector<Finding>& findings) {
  boost::unordered_flat_map<std::string_view, std::size_t, std::hash<std::string_view>>
      accuser_of;  // of a message: the first finding
  for (std::size_t i = 0; i < findings.size(); ++i) {
    if (of_judge(findings[i], "expectation") || findings[i].severity != Severity::fail) continue;
    for (const std::string& name : findings[i].messages) accuser_of.try_emplace(name, i);
  }
  std::vector<bool> explained(findings.size());
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& missed = findings[i];
    if (!of_judge(missed, "expectation") || missed.messages.empty()) continue;
    explained[i] = std::all_of(missed.messages.begin(), missed.messages.end(),
                               [&](const std::string& name) { return accuser_of.contains(name); });
    if (!explained[i]) continue;
    std::set<std::size_t> accusers;
    for (const std::string& name : missed.messages) accusers.insert(accuser_of.at(name));
    for (const std::size_t accuser : accusers) findings[accuser].evidence.push_back("also missed: " + missed.actual);
  }
  std::size_t next = 0;
  std::erase_if(findings, [&](const Finding&) { return explained[next++]; });
}

/// Where another run has the accounts too, each takes the other's mail away: nothing that is seen says anything of the
/// server.
void only_ours(std::vector<Finding>& findings) {
  const auto others = [](const Finding& finding) { return finding.id.ends_with("/session/another-run"); };
  if (std::any_of(findings.begin(), findings.end(), others))
    std::erase_if(findings, [](const Finding& finding) { return finding.severity != Severity::error; });
}

/// What a check expects that no MUST demands is a latitude, quotas too; what the other judges say of it stands: each
/// has its RFC.
void soften(std::vector<Finding>& findings) {
  for (Finding& finding : findings)
    if ((of_judge(finding, "expectation") || of_judge(finding, "quota")) && finding.severity == Severity::fail)
      finding.severity = Severity::latitude;
}

/// Where the second look was left out, what the mailboxes hold in the end was seen once: that accuses nobody.
void withhold_unsettled(const history::History& history, std::vector<Finding>& findings) {
  const auto settles = history.about(history::What::settle);
  const bool unsettled = std::any_of(settles.begin(), settles.end(),
                                     [](const history::Event& e) { return e.code == history::kNotSettled; });
  if (!unsettled) return;
  for (Finding& finding : findings)
    if ((of_judge(finding, "expectation") || of_judge(finding, "quota")) && finding.severity == Severity::fail)
      finding.severity = Severity::inconclusive;
}

Verdict verdict_of(const Finding& finding, bool strict) {
  switch (finding.severity) {
    case Severity::fail:
      return Verdict::fail;
    case Severity::latitude:
      return strict ? Verdict::fail : Verdict::latitude;
    case Severity::inconclusive:
      return Verdict::inconclusive;
    case Severity::error:
      return Verdict::error;
  }
  return Verdict::error;
}

}  // namespace

std::string_view name(Severity severity) { return word_for(kSeverities, severity); }
std::string_view name(Verdict verdict) { return word_for(kVerdicts, verdict); }

bool conclusive(Verdict verdict) {
  return verdict != Verdict::not_applicable && verdict != Verdict::inconclusive && verdict != Verdict::error;
}

std::span<const Judge> judges() { return kJudges; }

Judgement judge_by(std::span<const Judge> all, const history::History& history, bool strict) {
  Judgement out;
  const auto& events = history.events();
  // What a story ends at because the target lacks it takes nothing back of what was seen before.
  const auto neutral = history.about(history::What::not_applicable);
  const bool of_talk = history.info.check && history.info.check->talk;
  Judgement left_out;
  if (!neutral.empty()) {
    left_out.verdict = Verdict::not_applicable;
    left_out.note = neutral.begin()->text;
    if (of_talk) return left_out;
  }

  const auto crashed = [&](std::string_view judge, const char* why) {
    history::Ledger none(history);
    Case c(history, none, "judging", out.findings);
    c.find("crashed", {"every judge comes to an end", fmt::format("the judge {} crashed: {}", judge, why), {}, 0, ""});
  };
  history::Ledger ledger(history);
  try {
    for (const history::Event& e : events) ledger.apply(e);
    out.kept_download = keeps_what_was_downloaded(history, ledger);
    if (removes_what_was_downloaded(history, ledger)) {
      ledger = history::Ledger(history, Pop3Download::removes);
      for (const history::Event& e : events) ledger.apply(e);
    }
  } catch (const std::exception& e) {
    crashed("ledger", e.what());
  }
  const auto& check = history.info.check;
  // The talk was never begun: its mail was delivered, and audited, as a story's.
  const auto problems = history.about(history::What::problem);
  const bool only_filled =
      std::any_of(problems.begin(), problems.end(), [](const history::Event& e) { return e.code == "mailbox"; });
  for (const Judge& judge : all) {
    // A talk misbehaves on purpose, and what it deletes no ledger knows of.
    const bool own = judge.name == "conformance" || (only_filled && judge.name == "loss");
    if (check && check->talk && !own) continue;
    if (history.info.recorded && !judge.of_recordings) continue;
    try {
      judge.run(history, ledger, out.findings);
    } catch (const std::exception& e) {
      crashed(judge.name, e.what());
    } catch (...) {
      crashed(judge.name, "something that is not an exception");
    }
  }
  merge_explained(out.findings);
  withhold_unsettled(history, out.findings);
  only_ours(out.findings);
  if (check && !check->talk && check->level != "MUST" && check->harm.empty()) soften(out.findings);

  for (const Finding& finding : out.findings) {
    const Verdict verdict = verdict_of(finding, strict);
    if (rank(verdict) > rank(out.verdict)) out.verdict = verdict;
  }
  const bool counts = std::any_of(out.findings.begin(), out.findings.end(), [&](const Finding& finding) {
    const Verdict verdict = verdict_of(finding, false);
    return verdict == Verdict::fail || finding.id.find("judging/crashed") != std::string::npos;
  });
  if (!neutral.empty() && !counts) return left_out;
  const auto done = history.where(
      [](history::Kind kind) { return kind.type == history::Type::ok && kind.what != history::What::connect; });
  if (done.empty() && out.verdict == Verdict::pass) {
    out.verdict = Verdict::inconclusive;
    out.note = history.info.recorded ? "nothing was heard that can be judged" : "nothing was played";
  }
  if (out.verdict == Verdict::pass) {
    Findings none;
    try {
      out.note = nothing_left(Case(history, ledger, "expectation", none));
    } catch (const std::exception& e) {
      crashed("expectation", e.what());
      out.verdict = Verdict::error;
    }
  }
  const auto untold = history.where(
      [](history::Kind kind) { return kind.type == history::Type::info && kind.what == history::What::usage; });
  if (out.verdict == Verdict::pass && !untold.empty()) {  // what it is about was not to be seen there
    out.verdict = Verdict::not_applicable;
    out.note = untold.begin()->text;
  }
  if (out.verdict == Verdict::pass || out.verdict == Verdict::latitude) {
    std::size_t logged = 0;
    for (const history::Event& e : history.about(history::What::observed)) {
      if (history.info.recorded)
        logged += e.session == 0 ? 1U : 0U;  // lines of logs, of which there may be any number
      else
        out.note += fmt::format("{}{}", out.note.empty() ? "" : "; ", e.text);
    }
    if (logged != 0)
      out.note += fmt::format("{}{} line{} of logs", out.note.empty() ? "" : "; ", logged, logged == 1 ? "" : "s");
    // What was promised of all sessions does not hold where one was not heard: that nothing was found, says nothing.
    if (history.info.recorded && history.info.all_clients && heard_in_part(history) != 0) {
      out.verdict = Verdict::inconclusive;
      out.note = heard_in_part_note(history);
    }
  }
  if (out.note.empty() && (out.verdict == Verdict::inconclusive || out.verdict == Verdict::error))
    for (const Finding& finding : out.findings)
      if (verdict_of(finding, strict) == out.verdict) {
        out.note = finding.actual.substr(0, finding.actual.find('\n'));
        break;
      }
  return out;
}

Judgement judge(const history::History& history, bool strict) { return judge_by(judges(), history, strict); }

Verdict worst(std::span<const Verdict> verdicts) {
  Verdict out = Verdict::inconclusive;
  bool any = false;
  for (const Verdict verdict : verdicts) {
    if (rank(verdict) == 0) continue;
    if (!any || rank(verdict) > rank(out)) out = verdict;
    any = true;
  }
  return out;
}

int exit_status(std::span<const Verdict> verdicts, bool interrupted) {
  const auto has = [&](Verdict wanted) {
    return std::find(verdicts.begin(), verdicts.end(), wanted) != verdicts.end();
  };
  if (has(Verdict::error)) return 3;
  if (has(Verdict::fail) || has(Verdict::unexpected_pass)) return 1;
  if (interrupted || has(Verdict::inconclusive)) return 3;
  return worst(verdicts) == Verdict::inconclusive ? 3 : 0;
}

}  // namespace mailproof::judge
