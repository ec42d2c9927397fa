#include "import/observe/smtp.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "wire/text/words.h"

namespace mailproof::imports {

using history::Event;
using history::Type;
using history::What;

SmtpObserver::SmtpObserver(Recording& recording, Conversation about)
    : Listener(recording, std::move(about)), login_(recording.history.secrets) {}

void SmtpObserver::client(std::string_view octets, Time now) {
  at(now);
  if (!deaf()) take(octets);
}

void SmtpObserver::take(std::string_view octets) {
  while (!octets.empty() && !deaf()) {
    if (waiting_for_go_) {
      held_ += octets;
      if (held_.size() > 64U << 20) blind("a message that nobody said to send", now());
      return;
    }
    if (in_data_) {
      const std::string_view before = octets;
      const std::string_view text = dots_.take(octets);
      log().sent(before.substr(0, before.size() - octets.size()), false, now());
      scan_.add(text);
      if (!dots_.done()) continue;
      in_data_ = false;
      pending_.push_back({Of::final_dot, smtp::Verb::data, "", true});
      message_over();
      continue;
    }
    if (in_chunk_) {
      const std::string_view piece = octets.substr(0, std::min<std::uint64_t>(chunk_, octets.size()));
      log().sent(piece, false, now());
      scan_.add(piece);
      chunk_ -= piece.size();
      octets.remove_prefix(piece.size());
      if (chunk_ > 0) continue;
      in_chunk_ = false;
      pending_.push_back({Of::bdat, smtp::Verb::bdat, "", last_chunk_});
      if (last_chunk_) message_over();
      continue;
    }
    if (const auto line = lines_.next(octets)) {
      if (line->cut) return blind("a command line without an end", now());
      command(line->text);
    }
  }
}

void SmtpObserver::command(std::string_view line) {
  if (authenticating_) {
    log().sent(fmt::format("{}\r\n", line), true, now());
    return login_.response(line);
  }
  const smtp::Command said = smtp::parse_command(line);
  Asked asked{Of::command, said.verb, "", false};
  commanded_ = commanded_ || said.verb != smtp::Verb::unknown;
  const bool within = about().begin == Begin::middle && !commanded_;  // the login, maybe
  // Who did not wait for the answer to AUTH sends the response to a server that has refused it.
  const bool response = said.verb == smtp::Verb::unknown && line.find(' ') == std::string_view::npos &&
                        (refused_sasl_ || within || LoginHeard::is_secret(line));
  if (!response) refused_sasl_ = false;
  // RFC 3030 section 2: chunks that came before are no part of the next message.
  if (said.verb == smtp::Verb::rset || said.verb == smtp::Verb::mail || said.verb == smtp::Verb::ehlo ||
      said.verb == smtp::Verb::helo || said.verb == smtp::Verb::lhlo)
    scan_open_ = false;
  if (response) {
    log().sent(fmt::format("{}\r\n", line), true, now());
    login_.response(line);
    if (within && !pending_.empty()) return;
    if (within) asked.of = Of::auth;
  } else if (said.verb == smtp::Verb::auth) {
    const std::size_t space = std::min(said.arguments.find(' '), said.arguments.size());
    log().sent(fmt::format("{} {} ", said.keyword, said.arguments.substr(0, space)), false, now());
    log().sent(fmt::format("{}\r\n", said.arguments.substr(std::min(space + 1, said.arguments.size()))), true, now());
    login_.begin(said.arguments.substr(0, space));
    if (space < said.arguments.size()) login_.response(said.arguments.substr(space + 1));
    authenticating_ = true;
    asked.of = Of::auth;
  } else {
    log().sent(fmt::format("{}\r\n", line), false, now());
  }
  if (said.verb == smtp::Verb::rcpt) {
    asked.of = Of::rcpt;
    if (const auto to = smtp::parse_rcpt_to(said.arguments)) asked.path = to->path;
  }
  if (said.verb == smtp::Verb::data || said.verb == smtp::Verb::bdat) return begin_data(said.verb, said.arguments);
  pending_.push_back(std::move(asked));
}

void SmtpObserver::begin_data(smtp::Verb verb, std::string_view arguments) {
  if (!std::exchange(scan_open_, true)) scan_.begin();
  if (verb == smtp::Verb::data) {
    pending_.push_back({Of::data, verb, "", false});
    waiting_for_go_ = true;
    return;
  }
  // bdat-cmd = "BDAT" SP chunk-size [SP "LAST"] (RFC 3030 section 2)
  const auto size = text::parse_number<std::uint64_t>(text::take_word(arguments));
  if (!size) return pending_.push_back({Of::command, verb, "", false});
  chunk_ = *size;
  last_chunk_ = iequals(text::trim(arguments), "LAST");
  in_chunk_ = chunk_ > 0;
  if (in_chunk_) return;
  pending_.push_back({Of::bdat, verb, "", last_chunk_});
  if (last_chunk_) message_over();
}

/// All of it went out: now it has a number, and its delivery begins.
void SmtpObserver::message_over() {
  scan_.end();
  scan_open_ = false;
  message_ = recording().mail().number(Sight::of(scan_, true), "");
  answered_ = 0;
  auto invoke = event(Type::invoke, What::deliver);
  invoke.message = message_;
  invoke.text = name(about().protocol);
  invoke.size = scan_.octets();
  event_ = append(std::move(invoke));
  for (const Recipient& one : std::exchange(refused_at_rcpt_, {})) told(one, Type::fail, "at-rcpt");
  auto dot = event(Type::obs, What::final_dot);
  dot.command = event_;
  dot.message = message_;
  append(std::move(dot));
}

void SmtpObserver::server(std::string_view octets, Time now) {
  at(now);
  if (deaf()) return;
  log().received(octets, now);
  while (const smtp::Reply* one = replies_.next(octets)) {
    reply(*one);
    if (deaf()) return;
  }
  if (replies_.broken())
    return over(about().begin == Begin::middle ? "ours" : "broken", "",
                fmt::format("this is no SMTP reply: {}", replies_.garbage()));
  for (const auto& found : replies_.deviations().take()) deviation(found.code, found.excerpt);
}

void SmtpObserver::reply(const smtp::Reply& said) {
  if (!std::exchange(greeted_, true)) {
    begin_without_account();
    if (about().begin == Begin::greeting) return;
  }
  if (pending_.empty()) {
    // 421 may come at any time (RFC 5321 section 3.8).
    if (said.code != 421)
      deviation(lmtp() && event_ != 0 ? "lmtp.replies.extra" : "smtp.reply.unasked", said.summary());
    return;
  }
  const Asked asked = pending_.front();
  if (asked.of == Of::auth && said.code == 334) return;
  if (asked.of == Of::final_dot || (asked.of == Of::bdat && asked.last)) return final_reply(said);
  pending_.pop_front();
  if (asked.of == Of::auth) {
    authenticating_ = false;
    refused_sasl_ = !said.positive();
  }
  if (asked.verb == smtp::Verb::starttls && said.positive()) return tls_begins("STARTTLS");
  if (asked.verb == smtp::Verb::mail || asked.verb == smtp::Verb::rset || asked.verb == smtp::Verb::ehlo ||
      asked.verb == smtp::Verb::helo || asked.verb == smtp::Verb::lhlo)
    forget_transaction();
  if (asked.of == Of::rcpt) {
    Recipient to{asked.path, said.code, said.enhanced ? said.enhanced->text() : std::string(), said.text};
    (said.positive() ? accepted_ : refused_at_rcpt_).push_back(std::move(to));
  }
  if (asked.of == Of::data) {
    waiting_for_go_ = false;
    in_data_ = said.code == 354;
    if (in_data_) dots_.reset();
    take(std::exchange(held_, {}));
  }
  if (asked.verb == smtp::Verb::quit) over("clean", name(EndReason::closed), "QUIT");
}

void SmtpObserver::told(const Recipient& to, Type type, std::string_view how) {
  auto e = event(type, What::deliver);
  e.command = event_;
  e.message = message_;
  e.account = recording().account_of_address(to.path);
  e.code = to.status;
  e.facts = history::ReplyFacts{static_cast<std::uint32_t>(std::max(to.code, 0))};
  e.text = to.text;
  e.flags = how;
  append(std::move(e));
}

/// SMTP answers for all recipients at once, LMTP for one after the other (RFC 2033 section 4.2).
void SmtpObserver::final_reply(const smtp::Reply& said) {
  const Type type = said.positive() ? Type::ok : Type::fail;
  const std::size_t until = lmtp() ? std::min(answered_ + 1, accepted_.size()) : accepted_.size();
  for (; answered_ < until; ++answered_) {
    Recipient to = accepted_[answered_];
    to.code = said.code;
    to.status = said.enhanced ? said.enhanced->text() : std::string();
    to.text = said.text;
    told(to, type, "");
  }
  if (answered_ < accepted_.size()) return;
  pending_.pop_front();
  forget_transaction();
}

void SmtpObserver::forget_transaction() {
  accepted_.clear();
  refused_at_rcpt_.clear();
  answered_ = 0;
}

void SmtpObserver::abandon(std::string_view why) {
  const bool open = std::any_of(pending_.begin(), pending_.end(), [](const Asked& asked) {
    return asked.of == Of::final_dot || (asked.of == Of::bdat && asked.last);
  });
  pending_.clear();
  for (; open && answered_ < accepted_.size(); ++answered_) {
    Recipient to = accepted_[answered_];
    to.code = 0;
    to.status.clear();
    to.text = why;
    told(to, Type::info, "");
  }
}

std::unique_ptr<Observer> observe_smtp(Recording& recording, Conversation about) {
  return std::make_unique<SmtpObserver>(recording, std::move(about));
}

}  // namespace mailproof::imports
