#include <nlohmann/json.hpp>

#include "report/escape.h"
#include "report/explain.h"
#include "report/json.h"
#include "report/json_values.h"

namespace mailproof::report {
namespace {

using Json = nlohmann::ordered_json;

Json line_json(const Explanation& one, const Explanation::Line& line) {
  Json out;
  out["at"] = line.at;
  out["sure"] = history::name(line.sure);
  out["word"] = line.word;
  out["text"] = plain(line.text);
  if (!line.device.empty()) out["device"] = plain(line.device);
  if (line.session != 0) {
    const auto& session = one.sessions[line.session - 1];
    out["session"] = plain(session.label);
    out["protocol"] = session.protocol;
    out["endpoint"] = plain(session.endpoint);
  }
  out["event"] = line.event;
  if (line.wire)
    out["wire"] = {{"file", plain(line.wire->file)}, {"first", line.wire->first}, {"last", line.wire->last}};
  return out;
}

Json json_of(const Explanation& one) {
  Json out;
  out["scenario"] = plain(one.scenario);
  if (one.copy != 0) out["copy"] = one.copy;
  out["message"] = plain(one.message);
  out["size"] = one.size;
  out["verdict"] = plain(one.verdict());
  out["accounts"] = Json::array();
  for (const auto& end : one.ends)
    out["accounts"].push_back({{"account", plain(end.account)},
                               {"became", end.words},
                               {"sure", history::name(end.sure)},
                               {"asked", plain(end.asked)},
                               {"places", texts(end.places)},
                               {"logged", texts(end.logs)}});
  out["marks"] = one.marks;
  out["local_copies"] = texts(one.local);
  out["nothing_left"] = one.nothing_left;
  out["found"] = Json::array();
  for (const auto& found : one.found)
    out["found"].push_back(
        {{"id", plain(found.id)}, {"severity", judge::name(found.severity)}, {"actual", plain(found.actual)}});
  out["not_known"] = texts(one.not_known);
  out["life"] = Json::array();
  for (const auto& line : one.lines) out["life"].push_back(line_json(one, line));
  out["reproduce"] = plain(one.command);
  return out;
}

}  // namespace

std::string explanations_json(const Explanations& explanations) {
  Json out;
  out["run"] = plain(explanations.directory);
  out["messages"] = Json::array();
  for (const Explanation& one : explanations.all) out["messages"].push_back(json_of(one));
  out["left_out"] = explanations.left_out;
  return print_json(out) + "\n";
}

}  // namespace mailproof::report
