#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "judge/judge.h"
#include "report/lanes.h"

namespace mailproof::report {

/// A story of several devices, or a check of one sentence of an RFC.
enum class Kind : std::uint8_t { story, check };
std::string_view name(Kind kind);

/// For people who read from the top: smaller is worse.
int order_of(judge::Verdict verdict);
int order_of(judge::Severity severity);

/// What became of one scenario.
struct ScenarioResult {
  std::string id;
  std::string title;
  std::string why;  ///< the scenario's own words
  judge::Verdict verdict = judge::Verdict::pass;
  double seconds = 0;
  std::vector<judge::Finding> findings;
  std::string note;        ///< why not-applicable, inconclusive, known-fail or unexpected-pass
  std::uint64_t hash = 0;  ///< of the scenario's text; 0 = not known
  Kind kind = Kind::story;
  std::string level = {};  ///< of a check: "MUST", "SHOULD", "PRACTICE", "MAY"
  Lanes lanes = {};        ///< how it went; empty where nobody will look
  /// Of a MAY whose talk did not come out right: what came in place of it. A MAY passes all the same.
  std::optional<std::string> not_so = {};
  std::size_t events = 0;      ///< of its history: of two that show the same the shorter one is read
  bool kept_download = false;  ///< POP3 found again what a session had downloaded and left
};

/// A run, as every report is made from it. Complete at any moment: what was not played yet is not in it.
struct RunResult {
  std::uint64_t seed = 0;
  std::string target;                           ///< "sim", "sockets", or the target's name
  std::string version;                          ///< of mailproof
  std::map<std::string, std::string> versions;  ///< of others: what the servers say about themselves, by endpoint
  std::vector<ScenarioResult> scenarios;
  bool interrupted = false;
  double seconds = 0;
  std::string began = {}, ended = {};        ///< by the clock, "2026-11-29T01:30:00Z"; "" = not known
  std::vector<std::string> endpoints = {};   ///< where it was played: "imap 127.0.0.1:143"; none in simulation
  std::vector<std::string> selection = {};   ///< what was asked for: "scenarios/pop3", "--only tls"
  std::vector<std::string> notes = {};       ///< what people should know of the run as a whole, a line each
  std::size_t leading = 0;                   ///< so many of them explain what was found: they are said before it
  std::string lost = {};                     ///< what could not be written, and why: an error; "" = nothing
  std::vector<std::string> everywhere = {};  ///< classes of findings that are the server's way, and no scenario's
};

/// When, where, with what and what is there: "2026-11-29T01:30:00Z to 2026-11-29T01:31:07Z", "mailproof 0.1.0",
/// "imap 127.0.0.1:143: * OK Dovecot ready.". May hold what a server said.
std::vector<std::string> circumstances(const RunResult& run);

/// The worst of its scenarios; an interrupted run is inconclusive at best, one that could not be written an error.
judge::Verdict verdict_of(const RunResult& run);

}  // namespace mailproof::report
