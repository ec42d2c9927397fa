#pragma once
#include <functional>
#include <map>
#include <string>

#include "judge/case.h"
#include "judge/leaving.h"
#include "judge/pop3_policy.h"
#include "judge/strangers.h"

namespace mailproof::judge {

/// Devices that are gone with everything on them, and the event that says so last.
using Vanished = std::map<std::string, std::uint32_t, std::less<>>;
Vanished vanished(const Case& c);

/// Of a message (0 = of none), by an event; the words are asked for where they are told.
using Miss = std::function<void(std::uint32_t message, std::uint32_t event, const std::function<Words()>& words)>;

/// What the whole history says to a judge step: `fate`, `count`, `agree` or `intact`. Calls `miss` for whatever is not
/// as expected, and gives why nothing can be said; "" = it can.
std::string at_end(const Case& c, const Vanished& vanished, const Strangers& strangers, const Pop3Policy& policy,
                   const Leaving& leaving, const history::Event& expectation, const Miss& miss);

/// Where the scenario expects that nobody has a copy any more: of what, and how it came to that. "" = it does not.
std::string nothing_left(const Case& c);

}  // namespace mailproof::judge
