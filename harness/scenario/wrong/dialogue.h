#pragma once
#include <functional>
#include <string_view>

#include "core/wrong_dialogue.h"
#include "scenario/yaml/complaints.h"

namespace mailproof::scenario {

/// Reads what a wrong server does, a line each: "C: LIST" and its like begin a block, "S: +OK", "edit: s/a/b/" and
/// their like follow. `place(n)` tells where line n, counted from 0, stands in the file. Complains and leaves out what
/// it cannot read. `protocol`: of the blocks that name none.
WrongDialogue read_dialogue(std::string_view text, Protocol protocol, const std::function<Pos(int)>& place,
                            Complaints& complaints);

}  // namespace mailproof::scenario
