#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/yaml/complaints.h"
#include "scenario/yaml/node.h"

namespace mailproof::scenario {

/// The message sets a scenario has made so far: a step may use only what an earlier one made.
class Sets {
 public:
  /// `most` = how many messages it can hold, 0 = not known before the run. Complains of a bad or taken name.
  std::optional<std::string> make(const Node& name, int most, Complaints& complaints);
  /// "mail", "mail.1", "mail.1-2", "mail.2-last", "mail.last".
  std::optional<MessageRef> use(const Node& node, Complaints& complaints) const;
  /// Steps that start together make their sets for the steps after them: what was made since open() counts from close()
  /// on.
  void open_together();
  void close_together();

 private:
  struct Made {
    int most = 0;
    Pos pos;
    bool usable = true;
  };
  std::vector<std::string> names() const;

  std::map<std::string, Made> made_;
  bool together_ = false;
};

}  // namespace mailproof::scenario
