#pragma once
#include <string_view>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/yaml/complaints.h"

namespace mailproof::scenario {

/// Reads the lines of a talk (scenarios/conformance/README.md, "Talk") into `check.talk`; deliveries that stand in it
/// become steps of the scenario. `node` is the block scalar they stand in; `accounts` how many accounts the check
/// leases.
void read_talk(const Node& node, std::size_t accounts, Complaints& complaints, Scenario& scenario, Check& check);

/// Complains of what no server could satisfy, and of what every server would: replies that nobody asked for or reads,
/// types, variables and messages that there are not. Marks the commands that a block answers. `column`: of complaints.
void check_sense(int column, Complaints& complaints, const Scenario& scenario, Check& check);

/// "imap selected tls=none user2", each at most once, in any order, onto what `into` holds.
void read_connect(std::string_view words, Pos pos, std::size_t accounts, Complaints& complaints, TalkConnect& into);

/// "3", "dot-lines", "plain 8KiB", "20 plain": a delivery of `mail` to the first account. Null after a complaint.
std::optional<Step> read_fill(std::string_view words, Pos pos, Complaints& complaints);
/// "edge-4096" is the kind edge with that size.
bool read_fill_kind(std::string_view word, NewMessages& fill);

/// Where a connection stands when a talk gets it and does not say so.
Standing usual_standing(Protocol protocol);
/// SMTP and LMTP, which are told apart by their greetings and by the replies behind the final dot only.
constexpr bool is_mail(Protocol protocol) { return protocol == Protocol::smtp || protocol == Protocol::lmtp; }
/// "{mail}", "{mail dot-lines 8KiB}": a message that is made when it is sent. Nothing: it is something else.
std::optional<NewMessages> read_new_mail(std::string_view text);

/// Words between blanks.
std::vector<std::string> words_in(std::string_view text);
/// All of `text` as a decimal number between these.
std::optional<int> number_in(std::string_view text, int least, int most);

}  // namespace mailproof::scenario
