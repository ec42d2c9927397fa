#include "report/cause.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "report/escape.h"

namespace mailproof::report {
namespace {

using judge::Severity;
using judge::Verdict;

constexpr std::size_t kFewest = 2;        ///< scenarios: the finding of one is not far
constexpr std::size_t kMost = 300;        ///< octets of the error
constexpr std::size_t kMostServices = 4;  ///< named

/// An error in the words in which others had it too, and the service that it came from.
struct Said {
  std::string service;  ///< "imap 127.0.0.1:143"; "" = none is named
  std::string what;     ///< "connect: connection refused"
};

/// "audit: imap 127.0.0.1:143: connect: connection refused (last seen: ...)" of whoever met it.
Said said_of(const std::string& actual) {
  std::string_view text = actual;
  text = text.substr(0, std::min(text.find('\n'), text.find(" (last seen: ")));
  constexpr std::string_view kRetold = "; the last one: ";
  if (const auto at = text.find(kRetold); at != std::string_view::npos) text.remove_prefix(at + kRetold.size());
  for (const std::string_view protocol : {"imap ", "pop3 ", "smtp ", "lmtp "}) {
    const auto at = text.find(protocol);
    if (at == std::string_view::npos || (at != 0 && !text.substr(0, at).ends_with(": "))) continue;
    const auto end = text.find(": ", at);
    if (end != std::string_view::npos)
      return {std::string(text.substr(at, end - at)), std::string(text.substr(end + 2))};
  }
  return {"", std::string(text)};
}

/// The same for every account: their names and numbers do not tell causes apart.
std::string without_names(std::string_view text) {
  constexpr std::string_view kLogin = "login of ";
  std::string out;
  while (!text.empty()) {
    if (text.starts_with(kLogin)) {
      out += kLogin;
      text.remove_prefix(kLogin.size());
      text.remove_prefix(std::min(text.find_first_of(": "), text.size()));
    } else {
      if (text.front() < '0' || text.front() > '9') out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

struct Cause {
  std::size_t scenarios = 0;
  std::string what;  ///< as the first one put it
  std::vector<std::string> services;
};

}  // namespace

std::string words_of_error(const std::string& actual) { return without_names(said_of(actual).what); }

std::string common_cause(const RunResult& run) {
  std::map<std::string, Cause> causes;
  std::size_t played = 0;
  for (const ScenarioResult& scenario : run.scenarios) {
    played += scenario.verdict == Verdict::not_applicable ? 0 : 1;
    if (scenario.verdict != Verdict::error) continue;
    const auto finding = std::find_if(scenario.findings.begin(), scenario.findings.end(), [](const auto& one) {
      return one.severity == Severity::error && one.accepted.empty();
    });
    if (finding == scenario.findings.end()) continue;
    const Said said = said_of(finding->actual);
    Cause& cause = causes[words_of_error(finding->actual)];
    if (cause.scenarios++ == 0) cause.what = said.what;
    auto& services = cause.services;
    if (!said.service.empty() && std::find(services.begin(), services.end(), said.service) == services.end())
      services.push_back(said.service);
  }
  const auto most = std::max_element(causes.begin(), causes.end(), [](const auto& a, const auto& b) {
    return a.second.scenarios < b.second.scenarios;
  });
  // Nine of ten: a check that speaks to nobody may well have passed beside them.
  if (most == causes.end() || most->second.scenarios < kFewest || most->second.scenarios * 10 < played * 9) return {};
  const Cause& cause = most->second;
  std::string services;
  for (std::size_t i = 0; i < cause.services.size() && i < kMostServices; ++i)
    services += fmt::format("{}{}", i == 0 ? "" : ", ", cause.services[i]);
  if (cause.services.size() > kMostServices)
    services += fmt::format(" and {} more", cause.services.size() - kMostServices);
  return fmt::format(
      "{} of {} scenarios ended in the same error, which says nothing of what the server promises: {}{}{}; "
      "what stands in the way is seen by: mailproof probe --target FILE",
      cause.scenarios, played, services, services.empty() ? "" : ": ", shortened(cause.what, kMost));
}

}  // namespace mailproof::report
