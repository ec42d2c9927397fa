#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "history/history.h"
#include "history/ledger/ledger.h"
#include "judge/judge.h"
#include "report/text.h"

namespace mailproof::report {

/// Lines of a session's byte log in the run directory.
struct WirePlace {
  std::string file;  ///< below the run directory
  std::uint32_t first = 0, last = 0;
};
using WireFinder = std::function<std::optional<WirePlace>(const history::Event&)>;

/// What became of one message, over all sessions and protocols: who asked what of it, who was told, what is left.
struct Explanation {
  struct Line {
    double at = 0;            ///< seconds since the scenario began
    std::uint32_t event = 0;  ///< its place in the history
    history::Sure sure = history::Sure::certain;
    std::string_view word;    ///< "accepted", "visible", "told gone", ...
    std::string device;       ///< "phone", "audit"; "" = the scenario itself
    std::size_t session = 0;  ///< place in `sessions`, from 1; 0 = none
    std::string text;
    std::optional<WirePlace> wire;
  };
  /// Of one account: in one of endings(), and what explains it.
  struct End {
    std::string account;
    std::string_view words;
    std::string asked;  ///< who asked for its removal
    /// certain: it was heard; inferred: only logs say so; unknown: nobody does.
    history::Sure sure = history::Sure::certain;
    std::vector<std::string> logs;    ///< what logs say of it (witnesses.h)
    std::vector<std::string> places;  ///< "INBOX: no copy; last seen at 0.1 s by phone, first absent at 0.2 s by audit"
  };
  struct Session {
    std::string label, endpoint, log;  ///< log: "" = its bytes were not kept
    std::string device, protocol;
  };
  struct Found {
    std::string id, actual;
    judge::Severity severity = judge::Severity::fail;
  };
  std::string scenario, title;
  std::uint32_t copy = 0;
  std::string message;  ///< mail.2, or mail.2 "Rechnung"
  std::uint64_t size = 0;
  std::vector<End> ends;
  std::vector<std::string_view> marks;  ///< of marks(): what is wrong beside what became of it
  std::vector<std::string> local;       ///< "pc (downloaded at 0.110 s)"
  bool nothing_left = false;
  std::vector<Line> lines;
  std::vector<Session> sessions;  ///< those that its lines are of
  std::vector<Found> found;
  /// Of a recording what it cannot show, in sentences: nothing that is told here says anything about that.
  std::vector<std::string> not_known;
  std::string command;  ///< shows it again; "" = not known

  /// "removed by a client, told wrongly"; with accounts where there are several. "unknown" where nothing says;
  /// "removed by a client (inferred from a log)" where only that does.
  std::string verdict() const;
};

/// The words in which an explanation ends; the list is complete, and reports/README.md has it.
std::string_view ending(Fate fate);
std::span<const std::string_view> endings();
std::span<const std::string_view> marks();

Explanation explain(const history::History& history, const history::Ledger& ledger, std::uint32_t message,
                    std::span<const judge::Finding> findings, const WireFinder& wire);

/// Messages that did not end as their scenario and the RFCs have it: lost, or named by a finding that is no latitude.
std::vector<std::uint32_t> unexpected(const history::History& history, const history::Ledger& ledger,
                                      std::span<const judge::Finding> findings);

/// Several explanations, and how many there was no room for.
struct Explanations {
  std::string directory;  ///< of the run, as the reader named it
  std::vector<Explanation> all;
  std::size_t left_out = 0;
};
std::string explanations_text(const Explanations& explanations, const TextStyle& style = {});
std::string explanations_json(const Explanations& explanations);
/// A page of its own: a lane for each session, and the message's way through them.
std::string explanations_html(const Explanations& explanations);

}  // namespace mailproof::report
