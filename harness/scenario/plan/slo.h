#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"

namespace mailproof::scenario {

class Complaints;
struct Node;

/// What is held against the limit.
enum class Measure : std::uint8_t {
  percentile,  ///< of the response, from the intended start
  max,
  mean,
  errors,  ///< part of what ended that failed or has no answer
  rate,    ///< done a second
  count,   ///< of messages in the ledger, or of what was due and never began
};

enum class Comparison : std::uint8_t { less, at_most, equal, at_least, more };

/// One line of an SLO: "imap.fetch p99 < 250ms", "delivery-to-visible p99 < 5s", "errors < 0.1%", "lost = 0".
struct Slo {
  std::string text;       ///< as written
  std::string operation;  ///< "imap.fetch", "imap.*"; "" = all of them; with Measure::count the word of the ledger, or
                          ///< the operation of which it counts what never began
  Measure measure = Measure::percentile;
  double percent = 99;  ///< of Measure::percentile
  Comparison comparison = Comparison::less;
  double limit = 0;  ///< seconds, a part of one, or a number: see `measure`
  Pos pos;
};

/// "unserved = 0", or of one operation "imap.round unserved = 0".
bool counts_unserved(const Slo& slo);
/// Operations that a plan measures, as SLO lines and reports name them.
const std::vector<std::string>& operation_names();
/// What is no command of its own, but a part of one (login, tls), or made of several (round), or of none (idle-notice).
bool is_derived(std::string_view operation);
/// "imap.tls.full", "pop3.tls.resumed": the handshakes within a protocol's connects.
bool is_handshake(std::string_view operation);
/// Whether this name, which may end in * ("imap.*"), means this operation. Part names count: "delivery-to-visible"
/// means also "delivery-to-visible.imap" only when written with the star. "imap.*" means what a client asks for, and
/// nothing derived of it.
bool names_operation(std::string_view pattern, std::string_view operation);

/// Of a line alone; nothing where it is none.
std::optional<Slo> slo_of(const std::string& text);
std::optional<Slo> read_slo(const Node& node, Complaints& complaints);

}  // namespace mailproof::scenario
