#include "report/behaviour.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/escape.h"
#include "report/json_values.h"

namespace mailproof::report {
namespace {

using Json = nlohmann::ordered_json;
using Is = BehaviourWay::Is;

constexpr std::size_t kMostShown = 300;

std::string_view name(Is is) {
  switch (is) {
    case Is::held:
      return "held";
    case Is::not_so:
      return "not-so";
    case Is::not_applicable:
      return "not-applicable";
    case Is::unknown:
      break;
  }
  return "unknown";
}

BehaviourWay way_of(const ScenarioResult& result) {
  BehaviourWay out{result.id, result.title, Is::unknown, result.note};
  const bool open = std::any_of(result.findings.begin(), result.findings.end(), [](const judge::Finding& one) {
    return one.severity == judge::Severity::inconclusive || one.severity == judge::Severity::error;
  });
  if (result.verdict == judge::Verdict::not_applicable) {
    out.is = Is::not_applicable;
  } else if (open || result.verdict == judge::Verdict::inconclusive || result.verdict == judge::Verdict::error) {
    out.is = Is::unknown;
  } else if (result.not_so) {
    out.is = Is::not_so;
    out.text = *result.not_so;
  } else {
    out.is = Is::held;
    out.text.clear();
  }
  return out;
}

/// What the ways that are like this have to say, each once.
std::vector<std::string> said(const Behaviour& behaviour, Is is) {
  std::vector<std::string> out;
  for (const BehaviourWay& way : behaviour.ways) {
    if (way.is != is) continue;
    const std::string text = shortened(is == Is::held ? way.title : way.text, kMostShown);
    if (std::find(out.begin(), out.end(), text) == out.end()) out.push_back(text);
  }
  return out;
}

/// The lines of a topic. What came instead is worth telling only where no known way is the server's; that it is not
/// known always, because it may be that way as well.
std::vector<std::string> lines_of(const Behaviour& behaviour) {
  std::vector<std::string> out = said(behaviour, Is::held);
  const auto add = [&](std::string_view before, Is is) {
    for (const std::string& text : said(behaviour, is)) out.push_back(fmt::format("{}: {}", before, text));
  };
  if (out.empty()) add("another way", Is::not_so);
  if (out.empty()) add("not applicable", Is::not_applicable);
  add("not known", Is::unknown);
  return out;
}

}  // namespace

std::vector<Behaviour> by_topic(const std::vector<ScenarioResult>& results) {
  std::vector<Behaviour> out;
  for (const ScenarioResult& result : results) {
    const auto from = result.id.find('.') + 1;
    const std::string topic = result.id.substr(from, result.id.rfind('.') - from);
    auto at = std::find_if(out.begin(), out.end(), [&](const Behaviour& one) { return one.topic == topic; });
    if (at == out.end()) at = out.insert(at, {topic, {}});
    at->ways.push_back(way_of(result));
  }
  return out;
}

int behaviours_status(const Behaviours& seen) {
  const bool open = std::any_of(seen.all.begin(), seen.all.end(), [](const Behaviour& one) {
    return std::any_of(one.ways.begin(), one.ways.end(), [](const BehaviourWay& way) { return way.is == Is::unknown; });
  });
  return open || seen.interrupted ? 3 : 0;
}

std::string behaviours_text(const Behaviours& seen, const TextStyle& style) {
  std::size_t width = 0;
  for (const Behaviour& one : seen.all) width = std::max(width, one.topic.size());
  std::string out = fmt::format("{}: what it does where servers may differ\n\n", plain(seen.target));
  for (const Behaviour& one : seen.all) {
    std::string label = fmt::format("{:<{}}", one.topic, width);
    if (style.colour) label = fmt::format("\x1b[1m{}\x1b[0m", label);
    for (const std::string& line : lines_of(one)) {
      out += fmt::format("{}  {}\n", label, line);
      label.assign(width, ' ');
    }
  }
  if (seen.interrupted) return out + "\ninterrupted: the rest was not played\n";
  if (behaviours_status(seen) != 0) out += "\nNot all is known: play those again, or with more --patience.\n";
  return out;
}

std::string behaviours_json(const Behaviours& seen) {
  Json out;
  out["target"] = plain(seen.target);
  out["version"] = plain(seen.version);
  out["at"] =
      fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seen.at.time_since_epoch().count())));
  out["status"] = behaviours_status(seen);
  out["interrupted"] = seen.interrupted;
  out["behaviours"] = Json::array();
  for (const Behaviour& one : seen.all) {
    Json ways = Json::array();
    for (const BehaviourWay& way : one.ways) {
      Json json = {{"id", way.id}, {"title", way.title}, {"is", name(way.is)}};
      if (!way.text.empty()) json["text"] = plain(way.text);
      ways.push_back(std::move(json));
    }
    out["behaviours"].push_back({{"topic", one.topic}, {"ways", std::move(ways)}});
  }
  return print_json(out) + "\n";
}

}  // namespace mailproof::report
