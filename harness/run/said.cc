#include "run/said.h"

#include <fmt/format.h>

#include <array>

#include "core/bytes.h"

namespace mailproof::run {
namespace {

constexpr std::size_t kMostText = 300;       ///< octets of what one says
constexpr std::size_t kMostEndpoints = 100;  ///< named
constexpr std::size_t kMostSessions = 200;   ///< looked at, of one: what was not said by then is not said

constexpr std::array kKinds{std::pair("greeting", ""), std::pair("IMPLEMENTATION", "IMPLEMENTATION "),
                            std::pair("ID", "* ID ")};

}  // namespace

void ServersSaid::look(const history::History& history, const std::vector<std::unique_ptr<history::WireLog>>& logs) {
  for (std::size_t i = 0; i < logs.size() && i < history.sessions().size(); ++i) {
    const std::string& endpoint = history.sessions()[i].endpoint;
    const std::lock_guard lock(mutex_);
    if (endpoint.empty() || (said_.size() >= kMostEndpoints && !said_.contains(endpoint))) continue;
    if (++looked_[endpoint] > kMostSessions) continue;
    auto& said = said_[endpoint];
    for (const auto& [kind, begin] : kKinds)
      if (!said.contains(kind))
        if (const std::string line = logs[i]->early_line(begin); !line.empty()) said[kind] = printable(line, kMostText);
  }
}

std::map<std::string, std::string> ServersSaid::all() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> out;
  for (const auto& [endpoint, said] : said_) {
    std::string& text = out[endpoint];
    for (const auto& [kind, begin] : kKinds)
      if (const auto one = said.find(kind); one != said.end())
        text += fmt::format("{}{}", text.empty() ? "" : "; ", one->second);
    if (text.empty()) out.erase(endpoint);
  }
  return out;
}

}  // namespace mailproof::run
