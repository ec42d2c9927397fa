#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/history.h"
#include "history/ledger/ledger.h"

namespace mailproof::judge {

enum class Severity : std::uint8_t {
  fail,          ///< a MUST or a hard invariant is broken, or mail is lost, altered or leaked
  latitude,      ///< a SHOULD not followed, late, or common practice departed from; --strict makes it fail
  inconclusive,  ///< it cannot be said
  error,         ///< we failed ourselves: a judge crashed, the target could not be reached
};
std::string_view name(Severity severity);

/// Something a judge has to say. `id` = <scenario>/<judge>/<class>: no UIDs or numbers in it, so a baseline can name
/// it.
struct Finding {
  std::string id;
  Severity severity = Severity::fail;
  std::string requirement;  ///< the sentence that is broken, with its source: "RFC 1939 section 6: ..."
  std::string expected;     ///< all accepted alternatives
  std::string actual;
  std::vector<std::string> evidence;  ///< wire excerpts, each headed by session and time
  std::vector<std::string> life;      ///< of the message concerned
  std::vector<std::uint32_t> events;  ///< the two or three that conflict
  std::vector<std::string> messages;  ///< names of all messages concerned: "mail.2"
  std::string reproduce;              ///< one command; filled in by the cli
  std::string accepted;               ///< why it does not count (report/gate.h); "" = it does
  std::string since;                  ///< "new since the baseline ..."; "" = it was there, or there is none
};

enum class Verdict : std::uint8_t {
  pass,
  latitude,
  inconclusive,
  unexpected_pass,
  fail,
  error,
  not_applicable,
  known_fail
};
std::string_view name(Verdict verdict);
/// Whether it says something of the server: not with not-applicable, inconclusive or error.
bool conclusive(Verdict verdict);

/// One checker: a pure function of a history (and the ledger replayed from it). A file each in judge/, named after what
/// it protects.
struct Judge {
  std::string_view name;      ///< "removal"
  std::string_view protects;  ///< "I15, I29: nothing goes that nobody asked to remove"
  void (*run)(const history::History&, const history::Ledger&, std::vector<Finding>&);
  /// It also judges what was recorded of others (HistoryInfo::recorded): what it says follows from what was heard
  /// alone, whatever sessions and mail there were beside it.
  bool of_recordings = false;
};

/// All judges, in the order their findings are shown.
std::span<const Judge> judges();

struct Judgement {
  Verdict verdict = Verdict::pass;
  std::vector<Finding> findings;
  std::string note;            ///< why not-applicable or inconclusive; on a pass what people should know all the same
  bool kept_download = false;  ///< see keeps_what_was_downloaded()
};

/// Runs every judge. One that throws becomes a finding of severity error.
/// Worst first: error > fail > unexpected-pass > inconclusive > latitude > pass. `strict` turns latitude findings into
/// fail.
Judgement judge(const history::History& history, bool strict);

/// The same with other judges than the built-in ones.
Judgement judge_by(std::span<const Judge> all, const history::History& history, bool strict);

/// Verdict of a whole run from its scenarios' verdicts: the worst; nothing but neutral ones = inconclusive.
Verdict worst(std::span<const Verdict> verdicts);

/// Exit status (reports/README.md, "Verdicts and the exit status"), always that of the worst: error 3, fail or
/// unexpected-pass 1, inconclusive or interrupted 3, else 0.
int exit_status(std::span<const Verdict> verdicts, bool interrupted);

}  // namespace mailproof::judge
