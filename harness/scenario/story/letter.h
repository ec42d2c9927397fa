#pragma once
#include <memory>
#include <optional>
#include <string>

#include "scenario/step.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

/// A subject as people write it: one line of UTF-8, at most 200 octets. Nothing after a complaint.
std::optional<std::string> read_subject(const Node& node, Complaints& complaints);

/// A message of the user's own (RFC 5322, RFC 2045), from the file that the node names, relative to the story's. What
/// is wrong with it is said with its own file and line: a line that is no header field, no From or Date, a line of more
/// than 998 octets, octets outside ASCII in the header, NUL and bare CR, a multipart without its boundary. Null then.
/// Line ends may be LF or CRLF.
std::shared_ptr<const Letter> read_letter(const Node& node, Complaints& complaints);

/// The same from text. `file`: for what is said about it.
std::shared_ptr<const Letter> parse_letter(std::string_view text, const std::string& file, Complaints& complaints);

}  // namespace mailproof::scenario
