#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "history/history.h"

namespace mailproof::history {

/// The keys under which a history on disk has what differs from kind to kind. They are older than the facts' names and
/// stay: whatever was once written is read for ever. Whoever tells of any event, whatever its kind, tells these.
struct Columns {
  std::uint32_t uid = 0, seq = 0;
  std::uint64_t size = 0, modseq = 0;
  std::string_view other_set;
};

/// What an event's own fields and its facts come to. `other_set` points into the event.
Columns columns(const Event& event);

/// The other way: gives the event, whose other fields are known, what the columns mean for its kind. What is wrong with
/// them; "" = nothing.
std::string take_columns(const Columns& columns, const HistoryInfo& info, Event& event);

/// Fills a fate that is expected, and what is read of it: code = the fate, text = "by=pc over=pop3 copy_on=pc".
void expect_fate(const FateFacts& fate, const HistoryInfo& info, Event& event);

/// Fills which devices must agree, and what is read of them: text = their names.
void expect_agreement(AgreeFacts devices, const HistoryInfo& info, Event& event);

}  // namespace mailproof::history
