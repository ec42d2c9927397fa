#pragma once
#include <string>

#include "report/run_result.h"

namespace mailproof::report {

/// Where nearly everything ended in the same error, that error, how often, and what to do: "181 of 181 scenarios ended
/// in the same error: imap 127.0.0.1:143: connect: connection refused. ..."; "" where not.
std::string common_cause(const RunResult& run);

/// What an error says without what differs from one scenario to the next: the same words are the same cause.
std::string words_of_error(const std::string& actual);

}  // namespace mailproof::report
