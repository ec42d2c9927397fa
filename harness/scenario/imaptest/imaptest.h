#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/scenario.h"
#include "scenario/yaml/complaints.h"

namespace mailproof::scenario {

/// A script of ImapTest, which is another program with scripts of its own (https://dovecot.github.io/imaptest/), as a
/// check "imaptest.<name>": played by the talk of checks, with the verdict that ImapTest gives. Its mailbox is one of
/// the check's own, which is made for it and removed afterwards.
struct ImapTestScript {
  std::string name;  ///< "append"
  std::string path;  ///< for complaints
  std::string text;
  std::string mbox;  ///< the messages that it appends
};

/// `has_environment` answers !ifenv. What cannot be read is complained of, with its line.
Scenario read_imaptest(const ImapTestScript& script, const std::function<bool(const std::string&)>& has_environment,
                       Complaints& complaints);

/// The scripts of a folder, or one: every file whose name has no dot, with the mbox of its name beside it, or
/// default.mbox.
Loaded load_imaptest(const std::string& path, const std::function<bool(const std::string&)>& has_environment);

/// The messages of an mbox, with CRLF, without their "From " lines.
std::vector<std::string> messages_of_mbox(std::string_view mbox);

}  // namespace mailproof::scenario
