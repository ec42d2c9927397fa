#include "probe/look.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/bytes.h"
#include "host/signals.h"
#include "mail/stamp.h"

namespace mailproof::probe {
namespace {

constexpr std::size_t kMostMailboxes = 100;
constexpr std::size_t kMostQuotas = 50;
constexpr std::string_view kHello = "mailproof.example.test";

}  // namespace

void Seen::offered(std::span<const std::string> words, session::Stage stage) {
  auto& list = stage == session::Stage::plaintext ? before_tls
               : stage == session::Stage::secured ? after_tls
                                                  : after_login;
  list.emplace(words.begin(), words.end());
}

void Look::begin(const Endpoint& endpoint, Peer& peer) {
  seen_.began = loop_.now();
  link_ = loop_.open(endpoint, peer);
}

void Look::greeted(std::string_view text, Time now) {
  seen_.greeting = text;
  seen_.greeted = now;
}

void Look::await_ready() {
  loop_.run([this] { return seen_.settled() || host::interrupted(); });
}

void Look::await_end() {
  loop_.run([this] { return seen_.ended || host::interrupted(); });
}

Answer Look::await_answer(session::CommandId id) {
  answer_.reset();
  asked_ = id;
  if (id != 0) loop_.run([this] { return answer_ || seen_.ended || host::interrupted(); });
  asked_ = 0;
  return answer_.value_or(Answer{session::Outcome::info, {}, "the session was over"});
}

void Look::answered(session::CommandId id, Answer answer) {
  if (id == asked_) answer_ = std::move(answer);
}

ImapLook::ImapLook(net::Loop& loop, const session::ClientConfig& config) : Look(loop), client_(config, *this) {
  begin(config.endpoint, client_);
}

Answer ImapLook::noop() { return await_answer(client_.noop()); }

std::vector<std::string> ImapLook::mailboxes() {
  mailboxes_.assign(1, "INBOX");
  await_answer(client_.list("", "*"));
  return mailboxes_;
}

void ImapLook::on_list(const session::ImapListRow& row, Time) {
  const auto is = [&](std::string_view wanted) {
    return std::any_of(row.attributes.begin(), row.attributes.end(),
                       [&](auto attribute) { return iequals(attribute, wanted); });
  };
  if (is("\\Noselect") || is("\\NonExistent") || iequals(row.name, "INBOX")) return;
  if (mailboxes_.size() < kMostMailboxes) mailboxes_.emplace_back(row.name);
}

Result<std::uint64_t> ImapLook::messages(const std::string& mailbox) {
  messages_.reset();
  const Answer answer = await_answer(client_.status(mailbox, "(MESSAGES)"));
  if (messages_) return *messages_;
  return Error{"", answer.outcome == session::Outcome::ok ? "STATUS: OK without a number" : answer.text};
}

void ImapLook::on_status(std::string_view, std::string_view item, std::uint64_t value, Time) {
  if (iequals(item, "MESSAGES")) messages_ = value;
}

std::optional<std::uint64_t> ImapLook::ours(const std::string& mailbox) {
  if (await_answer(client_.select(mailbox, true)).outcome != session::Outcome::ok) return std::nullopt;
  found_ = 0;
  // A report about one of ours quotes its header in its body.
  const auto query = fmt::format("OR HEADER {0} \"v1\" BODY \"{0}: v1\"", mail::kTokenHeader);
  if (await_answer(client_.uid_search(query)).outcome != session::Outcome::ok) return std::nullopt;
  return found_;
}

std::optional<std::vector<ImapLook::Quota>> ImapLook::quotas() {
  if (!client_.has("QUOTA")) return std::nullopt;
  quotas_.clear();
  if (await_answer(client_.get_quota_root("INBOX")).outcome != session::Outcome::ok) return std::nullopt;
  return quotas_;
}

void ImapLook::on_quota(std::string_view root, std::string_view resource, std::uint64_t used, std::uint64_t limit,
                        Time) {
  if (quotas_.size() < kMostQuotas) quotas_.push_back({std::string(root), std::string(resource), used, limit});
}

void ImapLook::leave() {
  if (!seen_.ready) return;
  client_.logout();
  await_end();
}

Pop3Look::Pop3Look(net::Loop& loop, const session::ClientConfig& config) : Look(loop), client_(config, *this) {
  begin(config.endpoint, client_);
}

Result<std::uint32_t> Pop3Look::messages() {
  messages_.reset();
  const Answer answer = await_answer(client_.stat());
  if (messages_) return *messages_;
  return Error{"", answer.outcome == session::Outcome::ok ? "STAT: +OK without a number" : answer.text};
}

void Pop3Look::leave() {
  if (!seen_.ready) return;
  client_.quit();
  await_end();
}

SmtpLook::SmtpLook(net::Loop& loop, const session::ClientConfig& config)
    : Look(loop), client_(config, std::string(kHello), *this) {
  begin(config.endpoint, client_);
}

void SmtpLook::on_greeting(const session::SmtpReply& reply, Time now) { greeted(reply.text, now); }

void SmtpLook::leave() {
  if (!seen_.ready) return;
  client_.quit();
  await_end();
}

std::unique_ptr<Look> look_at(net::Loop& loop, const session::ClientConfig& config) {
  switch (config.endpoint.protocol) {
    case Protocol::imap:
      return std::make_unique<ImapLook>(loop, config);
    case Protocol::pop3:
      return std::make_unique<Pop3Look>(loop, config);
    case Protocol::smtp:
    case Protocol::lmtp:
      break;
  }
  return std::make_unique<SmtpLook>(loop, config);
}

}  // namespace mailproof::probe
