#pragma once
#include <functional>
#include <string>

#include "history/event.h"
#include "session/client.h"

namespace mailproof::play {

/// How an operation of a session ended, in the history's words.
inline history::Type type_of(session::Outcome outcome) {
  switch (outcome) {
    case session::Outcome::ok:
      return history::Type::ok;
    case session::Outcome::fail:
      return history::Type::fail;
    case session::Outcome::info:
      return history::Type::info;
  }
  return history::Type::info;
}

/// What whoever asked a session for something is told of its end.
struct Completion {
  session::Outcome outcome = session::Outcome::fail;
  std::string status;  ///< IMAP: "OK", "NO", "BAD"
  std::string code, text;
  bool ok() const { return outcome == session::Outcome::ok; }
};

}  // namespace mailproof::play
