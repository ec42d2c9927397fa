#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/mailbox.h"

namespace mailproof::server {

/// What SORT and THREAD look at in a message (RFC 5256); strings are casemapped, so that they compare octet by octet.
struct SortFields {
  std::int64_t arrival = 0;  ///< seconds since 1970, UTC
  std::int64_t sent = 0;     ///< ... of the Date field, or the arrival where that says nothing (section 2.2)
  std::uint64_t size = 0;
  std::string subject;  ///< base subject
  bool reply = false;   ///< of the subject something was taken away that says reply or forward
  std::string from;     ///< the local part of the first address; empty when there is none
  std::string to;
  std::string cc;
  std::string display_from;  ///< what is shown of the first address (RFC 5957 section 3)
  std::string display_to;
};
SortFields sort_fields(const Message& message);

/// One message as THREAD sees it.
struct ThreadMessage {
  std::uint32_t number = 0;  ///< by which it is told: message number or UID
  SortFields fields;
  std::string id;                       ///< normalised Message-ID; empty when there is no valid one
  std::vector<std::string> references;  ///< the oldest first; never an empty one
};
ThreadMessage thread_message(const Message& message, std::uint32_t number);

/// The threads of the algorithm as the wire wants them, "(1 2 (3)(4))(5)"; empty for no messages. `messages` in the
/// order of the mailbox.
std::string threads_by_subject(const std::vector<ThreadMessage>& messages);     ///< ORDEREDSUBJECT
std::string threads_by_references(const std::vector<ThreadMessage>& messages);  ///< REFERENCES

}  // namespace mailproof::server
