#pragma once
#include <string>

namespace mailproof::load {

/// The machine that this runs on, in one line: name, processors, memory, kernel.
std::string this_machine();

}  // namespace mailproof::load
