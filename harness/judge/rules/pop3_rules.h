#pragma once
#include <vector>

#include "judge/rules/pop3_exchanges.h"
#include "judge/rules/rule.h"

// The looks of the rules in the table of rules.cc: what each adds is cut to kMostViolations there.
namespace mailproof::judge::pop3_rules {

using Found = std::vector<Violation>;

// pop3_status.cc
void status_line_512(const Pop3Exchanges& talk, Found& found);
void status_upper_case(const Pop3Exchanges& talk, Found& found);
void status_only_two(const Pop3Exchanges& talk, Found& found);
void crlf(const Pop3Exchanges& talk, Found& found);
// pop3_codes.cc
void response_code_bracket(const Pop3Exchanges& talk, Found& found);
void response_code_grammar(const Pop3Exchanges& talk, Found& found);
void auth_code_announced(const Pop3Exchanges& talk, Found& found);
// pop3_capa.cc
void capa_tag_syntax(const Pop3Exchanges& talk, Found& found);
void capa_subset(const Pop3Exchanges& talk, Found& found);
// pop3_sizes.cc
void retr_size(const Pop3Exchanges& talk, Found& found);

/// Whether a CAPA of this connection listed the tag. Nothing when no CAPA was answered with a whole list.
std::optional<bool> announced(const Pop3Exchanges& talk, std::string_view tag);

}  // namespace mailproof::judge::pop3_rules
