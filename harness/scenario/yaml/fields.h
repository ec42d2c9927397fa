#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/story/words.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

/// Readers of one value each. They complain and give nothing when the value is not what its field asks for.

/// Any scalar that is not empty, whatever its type would be elsewhere.
std::optional<std::string> read_text(const Node& node, std::string_view expected, Complaints& complaints);
/// A decimal number, not quoted.
std::optional<std::int64_t> read_number(const Node& node, std::int64_t least, std::int64_t most,
                                        std::string_view expected, Complaints& complaints);
/// yes, no, true or false, not quoted.
std::optional<bool> read_flag(const Node& node, Complaints& complaints);
/// "5s", "250ms"; more than zero, at most ten years.
std::optional<Duration> read_duration(const Node& node, Complaints& complaints);
/// "8KiB", "512"; 1 octet to 1 GiB.
std::optional<std::uint64_t> read_size(const Node& node, Complaints& complaints);
/// "2027-03-01", a day that exists.
std::optional<std::string> read_date(const Node& node, Complaints& complaints);
/// The name of an account, a device or a set of messages: letters, digits, - and _, a letter first.
bool is_name(std::string_view text);
/// A list of texts, or one text that stands for a list of one.
std::vector<std::string> read_texts(const Node& node, std::string_view expected, Complaints& complaints);
/// The entries of a list; a single scalar is a list of one. Empty after a complaint, or when the list is empty.
std::vector<const Node*> read_list(const Node& node, std::string_view expected, Complaints& complaints);
/// False after a complaint.
bool is_map(const Node& node, std::string_view expected, Complaints& complaints);
/// Complains of every key that is not in `known`.
void check_keys(const Node& map, const std::vector<std::string>& known, Complaints& complaints);

template <class E, std::size_t N>
std::optional<E> read_word(const Node& node, const Word<E> (&table)[N], Complaints& complaints) {
  if (node.kind == Node::Kind::scalar)
    for (const auto& entry : table)
      if (node.text == entry.word) return entry.meaning;
  complaints.value(node, either(words_of(table)), words_of(table));
  return std::nullopt;
}

/// keep, delete or {delete_after: 14 days}.
std::optional<AfterDownload> read_after_download(const Node& node, Complaints& complaints);

}  // namespace mailproof::scenario
