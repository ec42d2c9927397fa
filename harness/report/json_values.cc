#include "report/json_values.h"

#include <nlohmann/json.hpp>

namespace mailproof::report {

using nlohmann::ordered_json;

nlohmann::json read_json(std::string_view text) { return nlohmann::json::parse(text); }

ordered_json read_ordered_json(std::string_view text) { return ordered_json::parse(text); }

nlohmann::json json_or_discarded(std::string_view text) { return nlohmann::json::parse(text, nullptr, false); }

ordered_json ordered_json_or_discarded(std::string_view text) { return ordered_json::parse(text, nullptr, false); }

std::string print_json(const ordered_json& json, int indent, NotUtf8 bad) {
  using Handler = ordered_json::error_handler_t;
  return json.dump(indent, ' ', false, bad == NotUtf8::replaced ? Handler::replace : Handler::strict);
}

}  // namespace mailproof::report
