#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "report/run_result.h"
#include "report/text.h"

namespace mailproof::report {

/// One of the ways that servers are known to go, and whether this one goes it.
struct BehaviourWay {
  enum class Is : std::uint8_t {
    held,            ///< the server goes it
    not_so,          ///< it does something else: `text` is what came
    not_applicable,  ///< `text` says why
    unknown,         ///< nobody knows: `text` says what came in between
  };
  std::string id;     ///< of the check: "behaviour.separator.slash"
  std::string title;  ///< "the hierarchy separator is a slash"
  Is is = Is::unknown;
  std::string text;
};

/// What servers do in different ways, and all of them may.
struct Behaviour {
  std::string topic;  ///< "separator"
  std::vector<BehaviourWay> ways;
};

/// What `probe --behaviour` saw of a target.
struct Behaviours {
  std::string target, version;
  std::chrono::sys_seconds at{};
  bool interrupted = false;
  std::vector<Behaviour> all;
};

/// By topic, in the order of the results, which are those of checks with the id behaviour.TOPIC.WAY.
std::vector<Behaviour> by_topic(const std::vector<ScenarioResult>& results);

/// 0 all is known that applies; 3 something is not, or it was interrupted. Nothing of it is wrong: there is no 1.
int behaviours_status(const Behaviours& seen);

/// For people: of each topic the ways that the server goes, or what it does instead.
std::string behaviours_text(const Behaviours& seen, const TextStyle& style = {});

/// reports/probe.schema.json says what is in it.
std::string behaviours_json(const Behaviours& seen);

}  // namespace mailproof::report
