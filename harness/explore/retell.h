#pragma once
#include <string>
#include <vector>

#include "core/result.h"
#include "history/history.h"
#include "scenario/yaml/node.h"

namespace mailproof::explore {

/// A story of what a history tells, and what of it no story can tell, in words for people.
struct Retold {
  scenario::Node story;
  std::vector<std::string> left_out;
};

/// Makes of the sessions that a history tells of, played or recorded, a story that does the same on another server: the
/// mail that was there, deliveries, and what each device did and asked for, in the order in which it was answered. What
/// it expects follows from what was asked, never from what that server showed: mail that somebody delivered and nobody
/// removed is seen by whoever looked, and mail that somebody removed is not. So it passes on a right server also where
/// the history is of a wrong one. Names of people, addresses and subjects are not in it; names of mailboxes are.
/// The error says why there is nothing to tell, or that it is more than a file may hold.
Result<Retold> retell(const history::History& history, const std::string& id);

}  // namespace mailproof::explore
