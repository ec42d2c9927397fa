// A history that somebody changed: whatever the reader lets through, the ledger and every judge must come to an end on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "archive/jsonl.h"
#include "archive/jsonl_reader.h"
#include "history/ledger/ledger.h"
#include "judge/judge.h"

using namespace mailproof;

namespace {

/// A judge that throws is caught by who calls it, and is wrong all the same.
bool crashed(const judge::Judgement& judgement) {
  return std::any_of(judgement.findings.begin(), judgement.findings.end(),
                     [](const judge::Finding& f) { return f.id.ends_with("/judging/crashed"); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  archive::JsonlReader reader;
  reader.begin_file("history.jsonl");
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (reader.take(text.substr(0, end))) return 0;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  for (const auto& one : reader.run.histories) {
    const history::History& read = *one.history;
    if (crashed(judge::judge(read, false))) std::abort();
    history::Ledger ledger(read);
    for (const auto& event : read.events()) ledger.apply(event);
    for (std::uint32_t message = 1; message <= read.messages().size(); ++message)
      for (std::uint32_t account = 1; account <= read.info.accounts.size(); ++account) {
        ledger.fate(message, account);
        ledger.life(message);
      }
    // What was read can be written, and reads back.
    const std::string again = archive::write_all(read, one.took);
    archive::JsonlReader second;
    for (std::string_view rest = again; !rest.empty();) {
      const auto end = rest.find('\n');
      if (second.take(rest.substr(0, end))) std::abort();
      rest.remove_prefix(end + 1);
    }
    if (!second.run.histories.at(0).whole) std::abort();
  }
  return 0;
}
