// What is known of every message of an SMTP or LMTP session, by RFC 5321 and RFC 2033 and no other reading of them than
// this: nobody has taken a message before its final dot went out whole, and behind it only an answer says who has.
#include <fmt/format.h>

#include "session/smtp/tests/rig.h"

namespace mailproof::session {
namespace {

/// Takes the next whole reply off the front: its code; 0 if it did not come or was cut.
int take_reply(std::string_view& heard) {
  std::string_view rest = heard;
  while (true) {
    const std::size_t end = rest.find("\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.substr(0, 3).find_first_not_of("0123456789") != std::string_view::npos || line.size() < 3) return 0;
    if (line.size() > 3 && line[3] == '-') continue;
    heard = rest;
    return std::stoi(std::string(line.substr(0, 3)));
  }
}

bool yes(int code) { return code >= 200 && code < 300; }
bool no(int code) { return code >= 400; }

struct Message {
  int mail = 0, data = 0;
  std::vector<int> rcpt;
  bool dot = false;
  std::vector<int> finals;  ///< one, or one a recipient that was accepted

  std::size_t takers() const {
    std::size_t n = 0;
    if (yes(mail))
      for (const int code : rcpt) n += yes(code) ? 1 : 0;
    return n;
  }
  std::string of(std::size_t recipient, std::size_t taker, bool lmtp) const {
    if (!dot || !yes(mail) || !yes(rcpt[recipient]) || data != 354) return "fail";
    const int code = finals[lmtp ? taker : 0];
    return yes(code) ? "ok" : no(code) ? "fail" : "info";
  }
};

void tell(std::vector<std::string>& out, CommandId id, const Message& message, std::size_t recipients, bool lmtp) {
  std::string whole = "fail";
  std::size_t taker = 0;
  for (std::size_t i = 0; i < recipients; ++i) {
    const bool reached = i < message.rcpt.size();
    const std::string one = reached ? message.of(i, taker, lmtp) : "fail";
    if (reached && yes(message.rcpt[i])) ++taker;
    out.push_back(fmt::format("recipient {}.{} {}", id, i, one));
    if (one == "ok" || (one == "info" && whole == "fail")) whole = one;
  }
  out.push_back(fmt::format("done {} {}", id, whole));
}

}  // namespace

std::vector<std::string> SmtpRig::truth(std::string_view said, std::string_view heard) const {
  std::vector<std::string> out;
  auto job = asked.begin();
  Message message;
  bool begun = false;
  const auto finish = [&] {  // the message that was begun
    if (!begun) return;
    begun = false;
    tell(out, job->first, message, job->second, lmtp_);
    message = {};
    ++job;
  };
  take_reply(heard);
  while (true) {
    const std::size_t end = said.find("\r\n");
    if (end == std::string_view::npos) break;
    const std::string_view line = said.substr(0, end);
    if (line.starts_with("MAIL ") || line == "RSET" || line == "QUIT") finish();
    said.remove_prefix(end + 2);
    const int code = take_reply(heard);
    if (line.starts_with("MAIL ")) {
      begun = true;
      message.mail = code;
    } else if (line.starts_with("RCPT ")) {
      message.rcpt.push_back(code);
    } else if (line == "QUIT" && (job == asked.end() || job->second != 0)) {
      continue;  // nobody asked for it: the client asks whether replies to the message are missing
    } else if (line == "QUIT") {
      out.push_back(fmt::format("done {} {}", job->first, code == 0 ? "info" : yes(code) ? "ok" : "fail"));
      ++job;
    } else if (line == "DATA") {
      message.data = code;
      if (code != 354) continue;
      const std::size_t dot = said.starts_with(".\r\n") ? 0 : said.find("\r\n.\r\n");
      if (dot == std::string_view::npos) break;
      said.remove_prefix(said.find(".\r\n", dot) + 3);
      message.dot = true;
      for (std::size_t i = 0; i < (lmtp_ && message.takers() > 0 ? message.takers() : 1); ++i)
        message.finals.push_back(take_reply(heard));
    }
  }
  finish();
  for (; job != asked.end(); ++job) tell(out, job->first, {}, job->second, lmtp_);  // never begun
  return out;
}

}  // namespace mailproof::session
