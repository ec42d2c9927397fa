#include "play/devices/cut_short.h"

#include <fmt/format.h>

namespace mailproof::play {

void undone(Context& context, const std::vector<std::uint32_t>& messages, std::uint32_t session, std::string why,
            std::string_view code) {
  if (messages.empty() && code.empty()) return;
  auto e = context.event(history::Type::obs, history::What::undone, session);
  e.set = history::format_numbers(messages);
  e.code = code;
  e.text = std::move(why);
  context.append(std::move(e));
}

bool cut_short(const session::Ended& end) {
  return end.reason != EndReason::none && !end.clean && (end.broken || end.reason != EndReason::dropped);
}

std::string ended_by_server(const session::Ended& end) {
  return fmt::format("the server ended the session: {}", end.message());
}

}  // namespace mailproof::play
