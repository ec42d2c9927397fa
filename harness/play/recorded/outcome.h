#pragma once
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

}  // namespace mailproof::play
