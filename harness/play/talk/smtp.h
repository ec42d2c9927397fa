#pragma once
#include <string>

#include "play/talk/match.h"

namespace mailproof::play {

/// A reply for people: its first line, and how much followed; of SMTP and LMTP all of its lines.
std::string shown(const TalkReply& reply);

/// Whether a reply of SMTP or LMTP is as a line of a talk wants it: one of its patterns fits the last line, where an x
/// in the code is any digit; or its regular expression all of it, as it came, with LF between lines. A reply with more
/// than one code is none.
bool fits_mail_reply(const scenario::TalkLine& line, const TalkReply& reply, TalkVariables& variables);

}  // namespace mailproof::play
