#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace mailproof::report {

// JSON text (RFC 8259) to values and back. nlohmann's parser and printer are templates of thousands of lines: they are
// compiled here, and whoever calls parse() or dump() compiles them again.

/// Throws nlohmann::json::parse_error, which says where the text is no JSON.
nlohmann::json read_json(std::string_view text);
nlohmann::ordered_json read_ordered_json(std::string_view text);
/// The same, but what is no JSON comes back as a value that is_discarded().
nlohmann::json json_or_discarded(std::string_view text);
nlohmann::ordered_json ordered_json_or_discarded(std::string_view text);

enum class NotUtf8 { throws, replaced };
/// `indent` blanks a level; on one line with -1. A text that is not UTF-8 throws nlohmann::json::type_error, or its
/// wrong octets become U+FFFD.
std::string print_json(const nlohmann::ordered_json& json, int indent = 2, NotUtf8 bad = NotUtf8::throws);

}  // namespace mailproof::report
